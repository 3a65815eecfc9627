import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Forward } from '../spec.ts'

/** Joins two connections; either end closing or failing ends both. */
export function join(left: Socket, right: Socket): void {
  left.pipe(right)
  right.pipe(left)
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}

/** The inner half of the relay: a unix socket that leads to an address in the node's network. */
export async function forward({ socket, host, port }: Forward): Promise<Server> {
  await rm(socket, { force: true }) // left by a node that was killed
  const server = createServer({ allowHalfOpen: true }, (client) => {
    join(client, connect({ host, port, allowHalfOpen: true }))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve(server))
  })
}
