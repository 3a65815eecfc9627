import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tryLogin } from '../support/database.ts'
import { accessToken, type EdgeClient, edgeClient } from '../support/edge.ts'
import { keepRetired } from '../support/retired-values.ts'
import { published, rotateQuickly } from '../support/rotate.ts'
import { type FollowedLog, followServerLog, isRefusal } from '../support/server-log.ts'

const MINUTE = 60_000
const at = ['palisade-system', 'gateway-db'] as const

let edge: EdgeClient
let token: string
let refusals: FollowedLog
beforeAll(async () => {
  edge = await edgeClient()
  token = await accessToken(edge)
  // Of Pods: what a test tries itself comes from loopback.
  refusals = await followServerLog(
    (record) => isRefusal(record) && !record.connection_from?.startsWith('127.0.0.1'),
  )
})
afterAll(async () => {
  refusals?.stop()
  await edge?.close()
})

/** Asks all the time and counts what is answered. */
function flow(): { stop(): Promise<Map<number, number>> } {
  const statuses = new Map<number, number>()
  let flowing = true
  const requests = (async () => {
    while (flowing) {
      const { status } = await edge.call('/api/secrets/not-there', { token })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      await sleep(50)
    }
  })()
  return {
    async stop() {
      flowing = false
      await requests
      return statuses
    },
  }
}

describe('the gateway’s own database credential', () => {
  it('is rotated while requests flow, none of which fails and no login of which is refused', async () => {
    const before = await published(...at)
    await keepRetired({ name: `Secret ${at.join('/')} retired`, text: before.password })
    const requests = flow()
    const statuses = await rotateQuickly(...at, 4 * MINUTE).then(
      () => requests.stop(),
      async (error: unknown) => {
        await requests.stop()
        throw error
      },
    )
    expect([...statuses.keys()], JSON.stringify([...statuses])).toEqual([404])
    expect(statuses.get(404)).toBeGreaterThan(100)
    expect(refusals.records()).toEqual([])

    const after = await published(...at)
    expect(after.username).not.toBe(before.username)
    expect(await tryLogin(before.username, before.password, before.dbname)).toMatch(/^28/)
    expect(await tryLogin(after.username, after.password, after.dbname)).toBe('accepted')
  })
})
