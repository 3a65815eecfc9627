import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { AuditClient, type Answer } from '../support/audit-client.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { until } from '../support/child.ts'
import { once } from '../support/postgres.ts'
import { startStandby, type TestStandby } from '../support/standby.ts'
import { startSwitch, type Switch } from '../support/switch.ts'

const WRITERS = 12
/** Answers before the primary dies, and after writes are possible again. */
const BEFORE = 60
const AFTER = 60

// Processes start many times over here, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 240_000 })

let world: AuditWorld
let standby: TestStandby
let way: Switch

beforeAll(async () => {
  world = await AuditWorld.start({
    replicas: 2,
    sealers: 1,
    through: async (db) => (way = await startSwitch(db)),
  })
  standby = await startStandby(world.db)
  await world.db.query(`alter system set synchronous_standby_names = '*'`)
  await world.db.query('select pg_reload_conf()')
  await until('a standby that is waited for', 30_000, async () => {
    const rows = await world.db.query(
      `select from pg_stat_replication where sync_state = 'sync' and state = 'streaming'`,
    )
    return rows.length === 1
  })
})
afterAll(async () => {
  await world?.stop()
  await standby?.stop()
  await way?.stop()
})

interface Write {
  readonly client: AuditClient
  readonly name: string
  readonly key: string
  readonly first: Answer
}

/** Each asks once under a key of its own, one after another, and takes what it is answered. */
async function writeOnce(client: AuditClient, signal: AbortSignal, writes: Write[]): Promise<void> {
  while (!signal.aborted) {
    const [name, key] = [`failover-${randomUUID()}`, randomUUID()]
    const first = await client.ask('PUT', name, name, key)
    writes.push({ client, name, key, first })
    // Each is asked for again afterwards: a promotion that takes its time must not leave thousands.
    if (first.status === 503) await pause(250)
  }
}

const stored = (writes: readonly Write[]) => writes.filter(({ first }) => first.status === 201)

describe('a primary that is killed under load', () => {
  it('leaves each write done once or answered 503, and its standby goes on with the same log', async () => {
    const clients = (await world.people(WRITERS)).map((who, i) => new AuditClient(world, who, i))
    const stop = new AbortController()
    const writes: Write[] = []
    const load = Promise.all(clients.map((client) => writeOnce(client, stop.signal, writes)))
    await until('some writes', 30_000, async () => stored(writes).length >= BEFORE)
    await world.db.kill()
    await until('a refusal', 30_000, async () => writes.some(({ first }) => first.status === 503))
    await standby.promote()
    const heir = { host: standby.host, port: world.db.port }
    way.lead(heir)
    const until201 = stored(writes).length + AFTER
    await until('writes by themselves', 30_000, async () => stored(writes).length >= until201)
    stop.abort()
    await load

    const answers = new Set(writes.map(({ first }) => `${first.status} ${first.body.code ?? ''}`))
    answers.delete('201 ')
    for (const answer of answers) {
      expect(['503 ERR_OUTCOME_UNKNOWN', '503 ERR_DATABASE_UNAVAILABLE']).toContain(answer)
    }
    expect(answers.size).toBeGreaterThan(0)
    for (const { client, name, key, first } of writes) {
      const again = await client.insist('PUT', name, name, key)
      expect(again.body, name).toMatchObject({ name, version: 1 })
      if (first.status === 201) expect(again.body).toEqual(first.body)
    }

    const config = { ...world.db.superuser, ...heir }
    const now = { query: (text: string) => once(config, text) } as Pick<AuditWorld['db'], 'query'>
    await world.sealed(30_000, now)
    const recorded = (await world.recorded(now)).filter(
      ({ eventType, outcome }) => eventType === 'secret.write' && outcome === 'success',
    )
    expect(recorded.map(({ name }) => name).sort()).toEqual(writes.map(({ name }) => name).sort())
    const { findings, doesNotProve } = await world.verify({ ...world.db.auditor, ...heir })
    expect(findings).toEqual([])
    expect(doesNotProve).toEqual([])
    await Promise.all(clients.map((client) => client.close()))
  })
})
