import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tryLogin } from '../support/database.ts'
import { accessToken, type EdgeClient, edgeClient } from '../support/edge.ts'
import { keepRetired } from '../support/retired-values.ts'
import { published, rotateQuickly } from '../support/rotate.ts'
import { type FollowedLog, followServerLog, isRefusal } from '../support/server-log.ts'

const MINUTE = 60_000
const SYSTEM = 'palisade-system'
const CREDENTIALS = ['gateway-db', 'sealer-db'] as const

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

describe('the database credentials of gateway and sealer', () => {
  it('are rotated side by side while requests flow, none of which fails and no login of which is refused', async () => {
    const current = () => Promise.all(CREDENTIALS.map((name) => published(SYSTEM, name)))
    const before = await current()
    for (const [index, { password }] of before.entries())
      await keepRetired({ name: `Secret ${SYSTEM}/${CREDENTIALS[index]} retired`, text: password })
    const requests = flow()
    const rotated = await Promise.allSettled(
      CREDENTIALS.map((name) => rotateQuickly(SYSTEM, name, 4 * MINUTE)),
    )
    const statuses = await requests.stop()
    for (const one of rotated) if (one.status === 'rejected') throw one.reason
    expect([...statuses.keys()], JSON.stringify([...statuses])).toEqual([404])
    expect(statuses.get(404)).toBeGreaterThan(30)
    expect(refusals.records()).toEqual([])

    for (const [index, fresh] of (await current()).entries()) {
      const old = before[index] ?? fresh
      expect(fresh.username).not.toBe(old.username)
      expect(await tryLogin(old.username, old.password, old.dbname)).toMatch(/^28/)
      expect(await tryLogin(fresh.username, fresh.password, fresh.dbname)).toBe('accepted')
    }
  })
})
