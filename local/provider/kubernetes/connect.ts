import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Connection, ConnectionWish } from './connection.ts'
import { plainConnection } from './plain-kubeconfig.ts'

/** What the kubeconfig says, where it is one text or one file. */
function textOf(kubeconfig = process.env.KUBECONFIG ?? ''): string | undefined {
  if (kubeconfig.includes('\n') || kubeconfig.startsWith('{')) return kubeconfig
  return isAbsolute(kubeconfig) && existsSync(kubeconfig)
    ? readFileSync(kubeconfig, 'utf8')
    : undefined
}

export async function connect(wish: ConnectionWish): Promise<Connection> {
  const text = textOf(wish.kubeconfig)
  const plain = text === undefined ? undefined : plainConnection(text, wish)
  if (plain) return plain
  const { libraryConnection } = await import('./library-connection.ts')
  return libraryConnection(wish)
}
