import { randomBytes, randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { RefusalLedger } from '../../gateway/observe/refusal-ledger.ts'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import type { RefusalStore } from '../../gateway/ports/refusals.ts'
import { AuditWriter } from '../../gateway/services/audit.ts'
import { PersonalFields } from '../../gateway/services/personal-fields.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../support/postgres.ts'

const key = { id: 'audit-1', key: Sealed.of<Uint8Array>(randomBytes(32)) }
let db: PalisadeDatabase
let store: PostgresStore
beforeAll(async () => {
  db = await startPalisadeDatabase()
  store = new PostgresStore(db.app)
})
afterAll(async () => {
  await store?.close()
  await db?.stop()
})

/** One process with a clock that the test turns; `kill` forgets what it had in memory. */
function replica(at: string, over: Partial<RefusalStore> = {}) {
  let now = new Date(at)
  const clock = { now: () => now }
  const lines: string[] = []
  const committed: AuditRow[] = []
  let failures = 0
  const writer = `gateway-${randomUUID().slice(0, 8)}`
  const ledger = new RefusalLedger({
    ...{ clock, key, writer },
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    audit: new AuditWriter({
      ...{ clock, writer, macKeys: [key] },
      personal: new PersonalFields({} as never, clock),
    }),
    store: {
      countRefusals: (...call) => store.countRefusals(...call),
      unrecordedRefusals: (...call) => store.unrecordedRefusals(...call),
      recordRefusals: (...call) => store.recordRefusals(...call),
      ...over,
    },
    committed: (row) => void committed.push(row),
    onFailure: () => (failures += 1),
  })
  const refuse = (times: number, source = '192.0.2.1') => {
    for (let i = 0; i < times; i += 1) {
      ledger.add('unauthenticated', { reason: 'ERR_TOKEN_INVALID', route: '/api/secrets', source })
    }
  }
  const setTime = (text: string) => (now = new Date(text))
  return { ledger, refuse, setTime, committed, lines, failures: () => failures, writer }
}

const details = (rows: readonly AuditRow[]) =>
  rows.map(
    ({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as { details: object }).details,
  )
const counted = async ({ writer }: { writer: string }) => {
  const [row] = await db.query<{ total: string | null }>(
    'select sum(refusals) as total from palisade.audit_counters where writer like $1',
    [`${writer}/%`],
  )
  return Number(row?.total ?? 0)
}

describe('refusals of nobody known', () => {
  it('are in the database after each flush, and one record when their minute is over', async () => {
    const one = replica('2026-11-21T10:00:10Z')
    one.refuse(3)
    await one.ledger.flush()
    one.refuse(4, '198.51.100.7')
    one.setTime('2026-11-21T10:00:59Z')
    await one.ledger.flush()
    expect([await counted(one), one.committed]).toEqual([7, []])
    one.setTime('2026-11-21T10:01:00Z')
    await one.ledger.flush()
    expect(details(one.committed)).toEqual([
      {
        ...{ minute: '2026-11-21T10:00:00.000Z', total: 7, kinds: 2, sources: 2 },
        ...{ first: '2026-11-21T10:00:10.000Z', last: '2026-11-21T10:00:10.000Z' },
        ...{ mostReason: 'ERR_TOKEN_INVALID', mostRoute: '/api/secrets', mostCount: 4 },
      },
    ])
    await one.ledger.flush()
    expect(one.committed).toHaveLength(1)
  })

  it('name their source as a keyed digest alone', async () => {
    const one = replica('2026-11-21T10:10:00Z')
    one.refuse(1, '203.0.113.99')
    await one.ledger.close()
    const rows = await db.query<{ text: string }>(
      'select to_jsonb(c)::text as text from palisade.audit_counters c',
    )
    expect(JSON.stringify(rows)).not.toContain('203.0.113.99')
  })

  it('of a process that was killed get their record from another one, once', async () => {
    const killed = replica('2026-11-21T11:00:00Z')
    killed.refuse(5)
    await killed.ledger.flush()
    // The second that was in memory alone is what a SIGKILL may cost.
    killed.refuse(2)
    const others = [replica('2026-11-21T11:14:00Z'), replica('2026-11-21T11:14:00Z')]
    const flushAll = () => Promise.all(others.map(({ ledger }) => ledger.flush()))
    await flushAll()
    expect(others.flatMap(({ committed }) => committed)).toEqual([])
    for (const other of others) other.setTime('2026-11-21T11:16:00Z')
    await flushAll()
    const records = details(others.flatMap(({ committed }) => committed))
    expect(records).toMatchObject([{ minute: '2026-11-21T11:00:00.000Z', total: 5 }])
  })

  it('are kept and written once when the database was away', async () => {
    const one = replica('2026-11-21T12:00:00Z')
    one.refuse(2)
    await db.query('alter table palisade.audit_counters rename to audit_counters_away')
    try {
      await one.ledger.flush()
      one.refuse(3)
      one.setTime('2026-11-21T12:02:00Z')
      await one.ledger.flush()
    } finally {
      await db.query('alter table palisade.audit_counters_away rename to audit_counters')
    }
    expect(one.failures()).toBe(2)
    expect(one.lines).toHaveLength(1)
    await one.ledger.flush()
    expect(await counted(one)).toBe(5)
    expect(details(one.committed)).toMatchObject([{ total: 5 }])
  })

  it('are not counted twice when the answer to a flush was lost', async () => {
    let lose = true
    const one = replica('2026-11-21T13:00:00Z', {
      countRefusals: async (...call) => {
        await store.countRefusals(...call)
        if (lose) throw new Error('connection lost')
      },
    })
    one.refuse(4)
    await one.ledger.flush()
    lose = false
    one.refuse(1)
    await one.ledger.flush()
    expect(await counted(one)).toBe(5)
  })

  it('of 5,000 sources in a minute take 1,001 rows and one record', async () => {
    const one = replica('2026-11-21T14:00:00Z')
    for (let i = 0; i < 5_000; i += 1) one.refuse(2, `198.18.${i >> 8}.${i & 255}`)
    await one.ledger.close()
    const [row] = await db.query<{ rows: string }>(
      'select count(*) as rows from palisade.audit_counters where writer like $1',
      [`${one.writer}/%`],
    )
    expect(Number(row?.rows)).toBe(1_001)
    // It also gives a record to minutes that replicas of other cases left behind.
    const minute = '2026-11-21T14:00:00.000Z'
    const own = details(one.committed).filter((each) => 'minute' in each && each.minute === minute)
    expect(own).toMatchObject([{ total: 10_000, kinds: 1_001 }])
  })

  it('of the minute under way have their record after a shutdown, and later ones another', async () => {
    const one = replica('2026-11-21T15:00:10Z')
    one.refuse(1)
    await one.ledger.close()
    one.refuse(2)
    await one.ledger.close()
    expect(details(one.committed)).toMatchObject([{ total: 1 }, { total: 2 }])
  })
})
