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
  refuseWhatIsNotDone(path, config.getCurrentUser()?.impersonateUser, cluster.proxyUrl)
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

/**
 * Whoever acts as another user means to have the rights of that one and no others; the client reads whom and sends it
 * to nobody. A proxy is left to its own connections, which ours are not.
 */
function refuseWhatIsNotDone(path: string, as: string | undefined, proxy: string | undefined) {
  const field = as ? '"as"' : proxy ? '"proxy-url"' : undefined
  if (field === undefined) return
  throw new PalisadeError('ERR_CONFIG_INVALID', `the kubeconfig ${path} has ${field}`, {
    remedy: `name one without it: ${field} is not heeded here, and would be passed over`,
  })
}

interface TlsAndHeaders {
  headers: Record<string, string>
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
}
