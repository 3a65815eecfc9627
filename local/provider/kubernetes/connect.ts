import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { plainLogin } from '#core/plain-kubeconfig'
import type { Connection, ConnectionWish } from './connection.ts'

/** What the kubeconfig says, where it is one text or one file. */
function textOf(kubeconfig = process.env.KUBECONFIG ?? ''): string | undefined {
  if (kubeconfig.includes('\n') || kubeconfig.startsWith('{')) return kubeconfig
  return isAbsolute(kubeconfig) && existsSync(kubeconfig)
    ? readFileSync(kubeconfig, 'utf8')
    : undefined
}

export async function connect(wish: ConnectionWish): Promise<Connection> {
  const text = textOf(wish.kubeconfig)
  const plain =
    text === undefined || wish.cluster !== undefined ? undefined : plainLogin(text, wish.context)
  if (!plain) {
    const { libraryConnection } = await import('./library-connection.ts')
    return libraryConnection(wish)
  }
  const { server, tls, token } = plain
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {}
  return {
    server,
    tls,
    namespace: wish.namespace ?? plain.namespace ?? 'default',
    headers: () => Promise.resolve(headers),
  }
}
