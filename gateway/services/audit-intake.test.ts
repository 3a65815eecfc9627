import { randomBytes } from 'node:crypto'
import Compile from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { AuditEvent, PLATFORM_TENANT } from '#api/audit-event'
import type { IngestEntry } from '#api/rest/audit-ingest'
import { fixedClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import type { AuditRow, IntakeOutcome, ReportedStep } from '../ports/audit-records.ts'
import { AuditWriter } from './audit.ts'
import { AuditIntake } from './audit-intake.ts'
import { PersonalFields } from './personal-fields.ts'

const clock = fixedClock('2026-11-21T12:00:00Z')
const operator = { kind: 'operator', id: 'main/palisade-system/operator' } as const
const origin = {
  requestId: '017f22e2-79b0-7cc3-98c4-dc0c0c073981',
  method: 'POST',
  route: '/audit/ingest',
  address: '192.0.2.77',
  userAgent: '',
}
const entry = (change: Partial<IngestEntry> = {}): IngestEntry => ({
  type: 'rotation.publish',
  outcome: 'success',
  rotationId: '5f0c2a52-6f0e-4a0e-8a53-0c9c3d8b3f11',
  seq: 7,
  at: '2026-11-21T11:59:58.123Z',
  resource: {
    kind: 'SecretRotation',
    cluster: 'main',
    namespace: 'shop',
    name: 'orders',
    uid: '0b8c7a6e-0000-4000-8000-000000000001',
  },
  details: { version: 4, role: 'shop_orders_b' },
  ...change,
})

function world(outcome: (steps: readonly ReportedStep[]) => IntakeOutcome = allFresh) {
  const ingested: (readonly ReportedStep[])[] = []
  const conflicts: ReportedStep[] = []
  const committed: AuditRow[] = []
  let surplus = 0
  const intake = new AuditIntake({
    store: {
      ingestAudit: async (_reporter, steps) => {
        if (steps.some(({ type }) => type.startsWith('audit.'))) {
          const isNew = ({ type }: ReportedStep) => conflicts.every((one) => one.type !== type)
          const fresh = steps.map(isNew)
          conflicts.push(...steps.filter(isNew))
          return { kind: 'recorded', fresh }
        }
        ingested.push(steps)
        return outcome(steps)
      },
    },
    audit: new AuditWriter({
      clock,
      macKeys: [{ id: '2026-11', key: Sealed.of(randomBytes(32)) }],
      personal: new PersonalFields(new KeyFileWrapper(Sealed.of(randomBytes(32))), clock),
      writer: 'gateway-0',
    }),
    cluster: 'main',
    committed: (row) => committed.push(row),
    onTaken: () => undefined,
    onSurplus: () => (surplus += 1),
    nowMicros: () => 0,
  })
  const take = (...entries: IngestEntry[]) => intake.take(operator, origin, entries)
  return { take, ingested, conflicts, committed, surplus: () => surplus }
}
const allFresh = (steps: readonly ReportedStep[]): IntakeOutcome => ({
  kind: 'recorded',
  fresh: steps.map(() => true),
})
const recordOf = (row: AuditRow | undefined) =>
  JSON.parse(Buffer.from(row?.bytes ?? []).toString()) as AuditEvent

describe('AuditIntake', () => {
  it('makes a record of version 1: by the operator, about the resource, of the platform', async () => {
    const { take, ingested } = world()
    await take(entry())
    const row = ingested[0]?.[0]?.audit
    const record = recordOf(row)
    expect([...Compile(AuditEvent).Errors(record)]).toEqual([])
    expect(row?.tenantId).toBe(PLATFORM_TENANT)
    expect(record).toMatchObject({
      tenant: PLATFORM_TENANT,
      time: '2026-11-21T12:00:00.000Z',
      eventType: 'rotation.publish',
      actor: { kind: 'operator', id: 'main/palisade-system/operator' },
      subject: {
        kind: 'rotation',
        id: 'main/shop/orders/0b8c7a6e-0000-4000-8000-000000000001',
      },
      details: {
        at: '2026-11-21T11:59:58.123Z',
        entryRotation: '5f0c2a52-6f0e-4a0e-8a53-0c9c3d8b3f11',
        entrySeq: 7,
        version: 4,
      },
    })
    expect(record.personal).toBeUndefined()
  })

  it('takes the longest names that a cluster allows', async () => {
    const { take, ingested } = world()
    const resource = {
      ...entry().resource,
      cluster: 'c'.repeat(63),
      namespace: 'n'.repeat(63),
      name: 'r'.repeat(253),
    }
    const far = { ...entry().resource, cluster: 'main', namespace: resource.namespace }
    await take(entry({ resource: { ...far, name: resource.name } }))
    const record = recordOf(ingested[0]?.[0]?.audit)
    record.subject.id = [...Object.values(resource).slice(1)].join('/')
    expect([...Compile(AuditEvent).Errors(record)]).toEqual([])
  })

  it('tells a repetition from another content by a digest of the whole entry', async () => {
    const { take, ingested } = world()
    const { details, ...rest } = entry()
    await take(entry(), { details: { ...details }, ...rest }, entry({ at: '2026-11-21T12:00:01Z' }))
    const [first, again, other] = (ingested[0] ?? []).map(({ digest }) =>
      Buffer.from(digest).toString('hex'),
    )
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('answers how many it recorded now, and shows only those to the witness', async () => {
    const { take, committed } = world((steps) => ({
      kind: 'recorded',
      fresh: steps.map((_, place) => place === 1),
    }))
    expect(await take(entry(), entry({ seq: 8 }))).toEqual({ accepted: 1, repeated: 1 })
    expect(committed.map((row) => recordOf(row).details?.['entrySeq'])).toEqual([8])
  })

  it('answers 409 with the key of a conflict and records that it came', async () => {
    const { take, conflicts, committed } = world(() => ({ kind: 'conflict', places: [1] }))
    await expect(take(entry(), entry({ seq: 8 }))).rejects.toMatchObject({
      code: 'ERR_AUDIT_CONFLICT',
      status: 409,
      detail: expect.stringContaining(
        '(5f0c2a52-6f0e-4a0e-8a53-0c9c3d8b3f11, 8, rotation.publish)',
      ),
    })
    expect(committed).toEqual(conflicts.map(({ audit }) => audit))
    expect(committed.map(recordOf)).toMatchObject([
      {
        eventType: 'audit.intake-conflict',
        outcome: 'refused',
        code: 'ERR_AUDIT_CONFLICT',
        details: { entrySeq: 8, type: 'rotation.publish' },
      },
    ])
    expect([...Compile(AuditEvent).Errors(committed.map(recordOf)[0])]).toEqual([])
  })

  it('keeps what the entry itself tells of a rotation beside the key that it was told under', async () => {
    const { take, ingested } = world()
    await take(entry({ details: { rotation: 'another-one' } }))
    expect(recordOf(ingested[0]?.[0]?.audit).details).toMatchObject({
      rotation: 'another-one',
      entryRotation: '5f0c2a52-6f0e-4a0e-8a53-0c9c3d8b3f11',
    })
  })

  it('records a conflict once, however often it is told, and each other content anew', async () => {
    const { take, committed } = world(() => ({ kind: 'conflict', places: [0] }))
    for (let time = 0; time < 3; time++) await expect(take(entry())).rejects.toThrow()
    expect(committed).toHaveLength(1)
    await expect(take(entry({ details: { version: 5 } }))).rejects.toThrow()
    expect(committed).toHaveLength(2)
  })

  it('records of the conflicts of one account 30 in a minute and counts the others', async () => {
    const places = Array.from({ length: 100 }, (_, place) => place)
    const { take, committed, surplus } = world(() => ({ kind: 'conflict', places }))
    const entries = places.map((seq) => entry({ seq }))
    await expect(take(...entries)).rejects.toMatchObject({ code: 'ERR_AUDIT_CONFLICT' })
    expect([committed.length, surplus()]).toEqual([30, 70])
    // What is recorded takes no place of the others.
    await expect(take(...entries)).rejects.toMatchObject({ code: 'ERR_AUDIT_CONFLICT' })
    expect([committed.length, surplus()]).toEqual([30, 140])
  })

  it("refuses another cluster's steps, and a step of a kind that its resource has not", async () => {
    const { take, ingested } = world()
    const elsewhere = { ...entry().resource, cluster: 'other' }
    await expect(take(entry({ resource: elsewhere }))).rejects.toMatchObject({ status: 403 })
    const grant = entry({ type: 'grant.revoked-by-resource' })
    await expect(take(grant)).rejects.toMatchObject({ code: 'ERR_VALIDATION' })
    expect(ingested).toEqual([])
  })

  it('refuses a detail that has the form of a secret, without repeating it', async () => {
    const { take, ingested } = world()
    const role = 'sk_live4eC39HqLyjWDarjtT1zdp7dc'
    const refusal = await take(entry({ details: { role } })).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'ERR_VALIDATION' })
    expect(String(refusal)).not.toContain(role)
    expect(ingested).toEqual([])
  })
})
