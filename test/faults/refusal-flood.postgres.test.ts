import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { AuditClient, withoutRecord } from '../support/audit-client.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { forged, startFlood } from '../support/flood.ts'
import { askSteadily } from '../support/steady-client.ts'

/** At the pace of refusals long enough for more sources than are kept apart. */
const SECONDS = 7
/** More than are kept apart in a minute. */
const SOURCES = 5_000
/** Kept apart in a minute, and one for the others. */
const ROWS_PER_MINUTE = 1_001
const READS_PER_SECOND = 20

// Processes start many times over here, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 240_000 })

let world: AuditWorld
beforeAll(async () => {
  world = await AuditWorld.start({ replicas: 1, sealers: 1 })
})
afterAll(() => world?.stop())

describe('a flood of forged tokens at full speed', () => {
  it('leaves rows within their bound, a number for each refusal, and everybody else served and recorded', async () => {
    const [who] = await world.people(1)
    if (!who) throw new Error('nobody is there')
    const client = new AuditClient(world, who)
    await client.write('mine', 'v')
    const token = await world.token(who)
    const port = world.replicas[0]?.port ?? 0
    const flood = startFlood({
      ...{ port, connections: 32, seconds: SECONDS, sources: SOURCES },
      tokens: forged(token, 64),
    })
    const served = await askSteadily({
      url: `http://127.0.0.1:${port}/api/secrets/mine`,
      headers: async () => ({ authorization: `Bearer ${token}` }),
      perSecond: READS_PER_SECOND,
      seconds: SECONDS,
    })
    const { answers } = await flood.ended
    await client.close()
    expect(served.refused).toEqual({})
    expect(Object.keys(answers)).toEqual(['401'])
    expect(answers['401']).toBeGreaterThan(ROWS_PER_MINUTE)

    // Its last act is to record the minute that is under way.
    await world.replicas[0]?.stop()
    const [counted] = await world.db.query<{ total: string; most: string; minutes: string }>(
      `select sum(refusals) as total, max(rows) as most, count(*) as minutes
       from (select sum(refusals) as refusals, count(*) as rows from palisade.audit_counters group by minute) as minutes`,
    )
    expect(Number(counted?.total)).toBe(answers['401'])
    expect(Number(counted?.most)).toBeLessThanOrEqual(ROWS_PER_MINUTE)
    const recorded = await world.recorded()
    const counts = recorded.filter(({ eventType }) => eventType === 'refusals.counted')
    expect(counts).toHaveLength(Number(counted?.minutes))
    const reads = Array.from({ length: READS_PER_SECOND * SECONDS }, () => ({
      ...({ eventType: 'secret.read', name: 'mine', version: 1 } as const),
    }))
    expect(withoutRecord(reads, recorded)).toEqual([])
    expect(recorded).toHaveLength(1 + reads.length + counts.length)
    await world.sealed()
    expect((await world.verify()).findings).toEqual([])
  })
})
