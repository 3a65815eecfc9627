import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Connections } from './connections.ts'

const AUTHENTICATED_AND_READY = Buffer.from('5200000008000000005a0000000549', 'hex')

let server: Server
let asked: Promise<unknown>
let open: Socket[]
beforeEach(async () => {
  open = []
  asked = new Promise((resolve) => {
    server = createServer((socket) => {
      open.push(socket)
      socket.once('data', () => {
        socket.write(AUTHENTICATED_AND_READY)
        socket.once('data', resolve)
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterEach(() => {
  vi.useRealTimers()
  open.forEach((socket) => socket.destroy())
  server.close()
})

it('gives up a connection whose server fell silent after the statement was sent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { port } = server.address() as AddressInfo
  const pool = new Connections({ host: '127.0.0.1', port, user: 'app', max: 1 })
  const outcome = expect(pool.run('schemaVersion')).rejects.toMatchObject({
    code: 'ERR_OUTCOME_UNKNOWN',
  })
  await asked
  const closed = once(open[0] as Socket, 'close')
  await vi.advanceTimersByTimeAsync(15_000)
  await outcome
  await closed
  await pool.close()
})

it('fails the statement, and nothing else, when its connection breaks', async () => {
  const unheard = vi.fn()
  process.on('uncaughtException', unheard)
  const { port } = server.address() as AddressInfo
  const pool = new Connections({ host: '127.0.0.1', port, user: 'app', max: 1 })
  const outcome = expect(pool.run('schemaVersion')).rejects.toMatchObject({
    code: 'ERR_OUTCOME_UNKNOWN',
  })
  await asked
  open[0]?.destroy()
  await outcome
  await pool.close()
  process.off('uncaughtException', unheard)
  expect(unheard).not.toHaveBeenCalled()
})
