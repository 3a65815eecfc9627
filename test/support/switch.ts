import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { endTogether } from './two-sockets.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** A name that stays while the server behind it is replaced, as a Service of a cluster is. */
export interface Switch extends Address {
  /** From now on new connections go there; the ones that are open end. */
  lead(to: Address): void
  stop(): Promise<void>
}

export async function startSwitch(first: Address): Promise<Switch> {
  let target = first
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ ...target })
    endTogether(client, upstream, open)
    client.pipe(upstream).pipe(client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    lead(to) {
      target = to
      cut()
    },
    async stop() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
