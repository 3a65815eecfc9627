import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLATFORM_TENANT } from '#api/audit-event'
import { leafHash } from '#core/audit/merkle'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { auditRow, reportedStep } from '../../test/support/store-wishes.ts'
import type { ReportedStep } from '../ports/audit-records.ts'
import { conflictKey } from '../services/intake-conflicts.ts'
import { PostgresStore } from './postgres-store.ts'
import { intakeValues } from './rows.ts'
import { STATEMENTS } from './statements.ts'

const REPORTER = 'main/palisade-system/operator'
let db: PalisadeDatabase
let replicas: readonly [PostgresStore, PostgresStore]
let store: PostgresStore

beforeAll(async () => {
  db = await startPalisadeDatabase()
  replicas = [new PostgresStore(db.app), new PostgresStore(db.app)]
  store = replicas[0]
})
afterAll(async () => {
  await Promise.all(replicas?.map((one) => one.close()) ?? [])
  await db?.stop()
})

const ingest = (steps: readonly ReportedStep[], by = store) => by.ingestAudit(REPORTER, steps)
const batch = (rotationId: string, size: number) =>
  Array.from({ length: size }, (_, i) => reportedStep({ rotationId, seq: i + 1 }))
/** As another replica would make it: the same step with a record of its own. */
const toldAgain = (step: ReportedStep): ReportedStep => ({
  ...step,
  audit: auditRow(PLATFORM_TENANT, step.type),
})

async function recorded(steps: readonly ReportedStep[]): Promise<number> {
  const [row] = await db.query<{ records: number; pending: number; keys: number }>(
    `select
       (select count(*)::int from palisade.secret_audit_logs where id = any ($1)) as records,
       (select count(*)::int from palisade.audit_pending where record_id = any ($1)) as pending,
       (select count(*)::int from palisade.audit_intake where record_id = any ($1)) as keys`,
    [steps.map(({ audit }) => audit.id)],
  )
  expect([row?.pending, row?.keys]).toEqual([row?.records, row?.records])
  return row?.records ?? 0
}

describe('ingestAudit', () => {
  it('records a batch with its keys and what the sealer takes', async () => {
    const steps = batch(randomUUID(), 3)
    expect(await ingest(steps)).toEqual({ kind: 'recorded', fresh: [true, true, true] })
    expect(await recorded(steps)).toBe(3)
    const [first] = steps
    const [row] = await db.query(
      `select l.record, l.mac, l.tenant_id, p.leaf from palisade.secret_audit_logs l
       join palisade.audit_pending p on p.record_id = l.id where l.id = $1`,
      [first?.audit.id],
    )
    expect(row).toEqual({
      record: first?.audit.bytes,
      mac: first?.audit.mac,
      tenant_id: PLATFORM_TENANT,
      leaf: leafHash(first?.audit.bytes ?? Buffer.alloc(0)),
    })
  })

  it('changes nothing when it is told again, whole or in part', async () => {
    const steps = batch(randomUUID(), 3)
    await ingest(steps.slice(0, 2))
    const again = steps.map(toldAgain)
    expect(await ingest(again)).toEqual({ kind: 'recorded', fresh: [false, false, true] })
    expect(await recorded(again)).toBe(1)
  })

  it('keeps nothing of a batch in which one step is recorded with other content', async () => {
    const rotationId = randomUUID()
    await ingest([reportedStep({ rotationId, seq: 2 })])
    const steps = batch(rotationId, 3).map((step) =>
      step.seq === 2 ? { ...step, digest: Buffer.alloc(32, 9) } : step,
    )
    expect(await ingest(steps)).toEqual({ kind: 'conflict', places: [1] })
    expect(await recorded(steps)).toBe(0)
  })

  it('finds a conflict within one batch, and a repetition there', async () => {
    const step = reportedStep()
    const other = { ...toldAgain(step), digest: Buffer.alloc(32, 9) }
    expect(await ingest([step, other])).toEqual({ kind: 'conflict', places: [1] })
    expect(await ingest([step, toldAgain(step)])).toEqual({
      kind: 'recorded',
      fresh: [true, false],
    })
  })

  it('keeps a conflict under a key of its own, once for each content', async () => {
    const told = reportedStep()
    await ingest([told])
    const other = { ...told, digest: Buffer.alloc(32, 9) }
    expect(await ingest([other])).toEqual({ kind: 'conflict', places: [0] })
    const conflict = () => toldAgain({ ...other, type: conflictKey(other.digest) })
    expect(await ingest([conflict()])).toEqual({ kind: 'recorded', fresh: [true] })
    expect(await ingest([conflict()], replicas[1])).toEqual({ kind: 'recorded', fresh: [false] })
    const third = Buffer.alloc(32, 8)
    const next = { ...conflict(), digest: third, type: conflictKey(third) }
    expect(await ingest([next])).toEqual({ kind: 'recorded', fresh: [true] })
  })

  it('tells the steps of two resources apart, and two actions of one number', async () => {
    const rotationId = randomUUID()
    const steps = [
      reportedStep({ rotationId }),
      reportedStep({ rotationId, resource: 'uid-2' }),
      reportedStep({ rotationId, type: 'rotation.publish' }),
    ]
    expect(await ingest(steps)).toMatchObject({ fresh: [true, true, true] })
  })

  it('records each step once when two replicas are told the same at once, in either order', async () => {
    for (let round = 0; round < 20; round++) {
      const steps = batch(randomUUID(), 50)
      const reverse = steps.map(toldAgain).reverse()
      const outcomes = await Promise.all([ingest(steps, replicas[0]), ingest(reverse, replicas[1])])
      const fresh = outcomes.map((outcome) =>
        outcome.kind === 'recorded' ? outcome.fresh.filter((is) => is).length : Number.NaN,
      )
      expect((fresh[0] ?? 0) + (fresh[1] ?? 0)).toBe(50)
      expect((await recorded(steps)) + (await recorded(reverse))).toBe(50)
    }
  })

  it('sees what the other one recorded when that commits while it waits', async () => {
    const step = reportedStep()
    await withClient(db.app, async (first) => {
      await first.query('begin')
      await first.query(`select palisade.enter($1, 'x')`, [PLATFORM_TENANT])
      await first.query(
        `insert into palisade.audit_intake
           (tenant_id, resource_uid, rotation_id, seq, event_type, content_digest, record_id)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [
          ...[PLATFORM_TENANT, step.resource, step.rotationId, step.seq, step.type],
          ...[Buffer.alloc(32, 9), randomUUID()],
        ],
      )
      const waiting = ingest([step], replicas[1])
      await first.query('commit')
      expect(await waiting).toEqual({ kind: 'conflict', places: [0] })
    })
  })
})

describe('the keys of the intake', () => {
  const app = <T>(text: string) => withClient(db.app, (client) => client.query(text) as Promise<T>)

  it('can be changed and removed by nobody, the owner and a superuser included', async () => {
    await ingest([reportedStep()])
    for (const text of [
      'delete from palisade.audit_intake',
      "update palisade.audit_intake set rotation_id = 'x'",
      'truncate palisade.audit_intake',
    ]) {
      await expect(app(text)).rejects.toMatchObject({ code: '42501' })
      await expect(db.query(text)).rejects.toMatchObject({ code: 'PL020' })
    }
  })

  it('are seen by nobody without the platform as caller', async () => {
    const shown = await app<pg.QueryResult>('select 1 from palisade.audit_intake')
    expect(shown.rowCount).toBe(0)
  })

  it('are written by the application alone', async () => {
    for (const login of [db.sealer, db.auditor, db.operator]) {
      await withClient(login, async (client) => {
        const step = reportedStep()
        const values = [PLATFORM_TENANT, REPORTER, ...intakeValues([step], step.audit)]
        const call = client.query(STATEMENTS.ingestAudit, values)
        await expect(call).rejects.toMatchObject({ code: '42501' })
      })
    }
  })
})
