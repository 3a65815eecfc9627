import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { endTogether } from './two-sockets.ts'

export interface SlowProxy {
  readonly port: number
  /** From now on what the server says arrives so much later. */
  delay(ms: number): void
  stop(): Promise<void>
}

/** Stands between a client and a server on this machine, as a network that is slow in one direction. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  let delayMs = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    endTogether(client, upstream, open)
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      setTimeout(() => client.writable && client.write(chunk), delayMs)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms) => (delayMs = ms),
    async stop() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
