import { KubeConfig } from '@kubernetes/client-node'
import { PalisadeError } from '#core/problem'
import type { Endpoint } from './api-client.ts'

/** The client of the Kubernetes project knows every way to log in, plugins too; requests themselves are ours. */
export async function endpointByClient(path: string): Promise<Endpoint> {
  const config = new KubeConfig()
  config.loadFromFile(path)
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new PalisadeError(
      'ERR_CONFIG_INVALID',
      `the kubeconfig ${path} names no current cluster: set its current-context`,
    )
  const resolve = async () => {
    const options: TlsAndHeaders = { headers: {} }
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0])
    return options
  }
  const first = await resolve()
  return {
    server: cluster.server,
    headers: async () => (await resolve()).headers,
    tls: {
      ...(first.ca === undefined ? {} : { ca: String(first.ca) }),
      ...(first.cert === undefined ? {} : { cert: String(first.cert) }),
      ...(first.key === undefined ? {} : { key: String(first.key) }),
    },
  }
}

interface TlsAndHeaders {
  headers: Record<string, string>
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
}
