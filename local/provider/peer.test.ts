import { describe, expect, it } from 'vitest'
import { ownerOf } from './peer.ts'

const from = { address: '127.0.0.1', port: 0x9c40 }
const to = { address: '127.0.0.1', port: 0x1f90 }
const row = (local: string, remote: string, state: string, uid: number, inode: number): string =>
  `   3: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000 20 4 30 10 -1`
const V4 = ['0100007F:9C40', '0100007F:1F90'] as const
const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'

describe('ownerOf', () => {
  it("reads the other end's row, not our own of the same connection", () => {
    const [client, server] = V4
    const table = [HEADER, row(server, client, '01', 0, 77), row(client, server, '01', 1000, 78)]
    expect(ownerOf(table.join('\n'), from, to)).toEqual({ uid: 1000, inode: '78' })
  })

  it('knows a client that came by a socket of IPv6', () => {
    const [client, server] = V4.map((one) => `0000000000000000FFFF0000${one}`) as [string, string]
    expect(ownerOf(row(client, server, '01', 1000, 78), from, to)).toMatchObject({ uid: 1000 })
  })

  it.each([
    ['was closed, which the kernel lists as owned by root', row(...V4, '04', 0, 0)],
    ['is held by no process any more', row(...V4, '01', 0, 0)],
    ['is being closed', row(...V4, '08', 0, 78)],
    ['is not listed', HEADER],
    ['cannot be looked up', ''],
  ])('names nobody for a socket that %s', (_, table) => {
    expect(ownerOf(table, from, to)).toBeUndefined()
  })
})
