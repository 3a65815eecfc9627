import { KubeConfig } from '@kubernetes/client-node'
import type { Endpoint } from './api-client.ts'

/** The client of the Kubernetes project knows every way to log in, plugins too; requests themselves are ours. */
export async function endpointByClient(path: string): Promise<Endpoint> {
  const config = new KubeConfig()
  config.loadFromFile(path)
  return endpointFrom(config)
}

export async function endpointFrom(config: KubeConfig): Promise<Endpoint> {
  const cluster = config.getCurrentCluster()
  if (!cluster) throw new Error('the kubeconfig names no current cluster: set a current-context')
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
