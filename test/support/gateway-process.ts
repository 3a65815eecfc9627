import type { AddressInfo } from 'node:net'
import { startGateway } from './gateway.ts'
import type { PalisadeDatabase } from './postgres.ts'

/** A gateway in a process of its own, which kills itself (SIGKILL) after the first commit, before it answers. */
const world = JSON.parse(process.env['GATEWAY_WORLD'] ?? '{}') as {
  readonly app: PalisadeDatabase['app']
  readonly directory: string
}
const { app } = await startGateway(world, {
  directory: world.directory,
  // The line of the second witness is written between commit and answer.
  onLine: (line) => {
    if (line.includes('Committed audit record')) process.kill(process.pid, 'SIGKILL')
  },
})
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`)
