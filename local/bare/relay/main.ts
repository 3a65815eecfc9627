// The outer half of the relay: ports of the machine's loopback → unix sockets of the node.
// Usage: node main.ts <state folder>
import { connect, createServer, type Socket } from 'node:net'
import { join as joinSockets } from '../init/forward.ts'
import { HOST_PORTS, layoutOf, socketOf } from '../layout.ts'
import { proxyHeader } from './proxy-header.ts'

const layout = layoutOf(process.argv[2] ?? '')

function listen(name: keyof typeof HOST_PORTS, host: string): void {
  const server = createServer({ allowHalfOpen: true }, (client) => accept(name, client))
  server.on('error', (error) => {
    console.error(`port ${HOST_PORTS[name]}: ${error.message}`)
    process.exit(1)
  })
  server.listen(HOST_PORTS[name], host)
}

function accept(name: keyof typeof HOST_PORTS, client: Socket): void {
  const inside = connect({ path: socketOf(layout, name), allowHalfOpen: true })
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = client
  // The API server does not read the header; the edge trusts it from the node's address alone.
  if (name !== 'api') {
    inside.write(proxyHeader({ remoteAddress, remotePort, localAddress, localPort }))
  }
  joinSockets(client, inside)
}

for (const name of Object.keys(HOST_PORTS) as (keyof typeof HOST_PORTS)[]) listen(name, '127.0.0.1')
