import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubectl } from '../../test/support/cluster.ts'
import { type FollowedLog, followServerLog } from '../../test/support/server-log.ts'

const CONNECTIONS = 400

/** Opens connections to the database, ten at a time, lets each go at once and says where it came from. */
const BURST = `
  import { once } from 'node:events'
  import { connect } from 'node:net'
  let left = ${CONNECTIONS}
  const from = []
  const lane = async () => {
    while (left-- > 0) {
      const socket = connect(5432, 'palisade-db-rw.palisade-data.svc')
      await once(socket, 'connect')
      from.push(socket.localAddress + ':' + socket.localPort)
      socket.end()
      await once(socket.resume(), 'close')
    }
  }
  await Promise.all(Array.from({ length: 10 }, lane))
  console.log(JSON.stringify(from))`

let received: FollowedLog
beforeAll(async () => {
  received = await followServerLog(({ message }) => message.startsWith('connection received'))
})
afterAll(() => received?.stop())

describe('the log of the database server', () => {
  it('has a record of every connection, whatever number comes within a second', async () => {
    const gateway = ['-n', 'palisade-system', 'deploy/gateway', '-c', 'gateway']
    const node = ['node', '--input-type=module', '-e', BURST]
    const from = JSON.parse(await kubectl('exec', ...gateway, '--', ...node)) as string[]
    expect(from).toHaveLength(CONNECTIONS)
    const missing = () => {
      const told = new Set(received.records().map(({ connection_from }) => connection_from))
      return from.filter((address) => !told.has(address))
    }
    await expect.poll(missing, { timeout: 60_000 }).toEqual([])
  })
})
