import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { LocalError } from '../../errors.ts'
import type { Connection, ConnectionWish } from './connection.ts'

function load(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig()
  if (kubeconfig === undefined) config.loadFromDefault()
  else if (kubeconfig.includes('\n') || kubeconfig.startsWith('{'))
    config.loadFromString(kubeconfig)
  else if (existsSync(kubeconfig)) config.loadFromFile(kubeconfig)
  else {
    throw new LocalError(
      'ERR_KUBECONFIG',
      `there is no kubeconfig at "${kubeconfig}"`,
      'give a path that exists or the text of a kubeconfig',
    )
  }
  return config
}

/** As the client library reads a kubeconfig, programs that give tokens among its ways. */
export async function libraryConnection(wish: ConnectionWish): Promise<Connection> {
  const config = load(wish.kubeconfig)
  if (wish.context !== undefined) config.setCurrentContext(wish.context)
  const context = config.getContextObject(config.getCurrentContext())
  const cluster =
    wish.cluster === undefined ? config.getCurrentCluster() : config.getCluster(wish.cluster)
  if (!cluster) {
    throw new LocalError(
      'ERR_KUBECONFIG',
      `the kubeconfig names no cluster for context "${config.getCurrentContext()}"`,
      'set current-context, or the configuration kubernetes:context',
    )
  }
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const ca = cluster.caFile ? readFileSync(cluster.caFile) : options.ca
  const certificates = { ca, cert: options.cert, key: options.key, servername: options.servername }
  const tls = Object.fromEntries(
    Object.entries(certificates).filter(([, value]) => value !== undefined),
  ) as Connection['tls']
  if (cluster.skipTLSVerify) tls.rejectUnauthorized = false
  return {
    server: cluster.server,
    namespace: wish.namespace ?? context?.namespace ?? 'default',
    tls,
    headers: async () => {
      const fresh: RequestOptions = {}
      await config.applyToHTTPSOptions(fresh)
      const found = Object.entries(fresh.headers ?? {})
      const headers = Object.fromEntries(found.map(([name, value]) => [name, String(value)]))
      if (fresh.auth) headers.authorization = `Basic ${Buffer.from(fresh.auth).toString('base64')}`
      return headers
    },
  }
}
