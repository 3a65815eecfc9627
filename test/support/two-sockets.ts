import type { Socket } from 'node:net'

/** Two sides of one connection through us: the end of either is that of both, and neither is an error. */
export function endTogether(client: Socket, upstream: Socket, open: Set<Socket>): void {
  for (const socket of [client, upstream]) {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      open.delete(socket)
      client.destroy()
      upstream.destroy()
    })
  }
}
