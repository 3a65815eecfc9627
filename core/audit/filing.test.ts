import { describe, expect, it } from 'vitest'
import { recordOf, sealedLog, VERIFIERS, MAC_KEYS } from '../../test/support/sealed-log.ts'
import { canonicalJson } from '../canonical-json.ts'
import type { AuditLog, LogRecord } from './export.ts'
import { isFiled } from './filing.ts'
import { verifyLog } from './verify.ts'

const evidence = { verifiers: VERIFIERS, checkpoints: [], witness: [], macKeys: MAC_KEYS }
const found = (log: AuditLog, macKeys: ReadonlyMap<string, Uint8Array> = MAC_KEYS) =>
  verifyLog(log, { ...evidence, macKeys }).findings.map(({ code, where }) => `${code} ${where}`)

const changed = (records: readonly LogRecord[], seq: number, change: Partial<LogRecord>) =>
  records.map((record, i) => (i === seq - 1 ? { ...record, ...change } : record))

const RECORDS = [1, 2, 3, 4, 5].map((seq) => recordOf(seq))

describe('isFiled', () => {
  const filing = { id: 'i', tenant: 't', key: 'k' }
  const inForm = { format: 1, id: 'i', macKey: 'k', outcome: 'success', tenant: 't', time: 'now' }
  const bytes = (event: unknown) => Buffer.from(canonicalJson(event))

  it('finds the three names in a record as it is written, and in one of another form', () => {
    expect(isFiled(bytes(inForm), filing)).toBe(true)
    expect(isFiled(bytes({ ...inForm, format: 2, idle: 0, threads: 1 }), filing)).toBe(true)
  })

  it.each([['id'], ['tenant'], ['key']] as const)('misses another %s', (name) => {
    expect(isFiled(bytes(inForm), { ...filing, [name]: 'x' })).toBe(false)
    expect(isFiled(bytes({ ...inForm, format: 2, idle: 0 }), { ...filing, [name]: 'x' })).toBe(
      false,
    )
  })

  it.each(['', 'null', '[]', '{'])('takes %j for no record', (text) => {
    expect(isFiled(Buffer.from(text), filing)).toBe(false)
  })
})

describe('a log in which no byte of a record was changed', () => {
  it('does not hold when one lies under another tenant, where no search of its own finds it', async () => {
    const log = await sealedLog(RECORDS, [2, 5])
    const records = changed(log.records, 4, { tenant: 'b' })
    expect(found({ ...log, records })).toEqual(['RecordMisfiled 1/4'])
    expect(found({ ...log, records }, new Map())).toEqual(['RecordMisfiled 1/4'])
  })

  it("does not hold when one was numbered among another tenant's, so that its own export would lack it", async () => {
    const sealed = await sealedLog(changed(RECORDS, 4, { tenant: 'b' }), [2, 5])
    // Put back behind the sealing: the row looks as it was committed.
    expect(found({ ...sealed, records: RECORDS })).toEqual(['RecordMisfiled 1/4'])
  })

  it('is another history by a checkpoint from outside, also when the key of the log signed it', async () => {
    const [honest, other] = await Promise.all([
      sealedLog(RECORDS, [2, 5]),
      sealedLog(changed(RECORDS, 4, { tenant: 'b' }), [2, 5]),
    ])
    const checkpoints = honest.batches.map(({ checkpoint }) => checkpoint)
    const of = (log: AuditLog) => verifyLog(log, { ...evidence, checkpoints }).findings
    expect(of(honest)).toEqual([])
    expect(of(other)).toContainEqual(expect.objectContaining({ code: 'Forked', where: '1/5' }))
  })

  it('does not hold when two stand under the id of each other, with their seals', async () => {
    const [a, b] = [recordOf(2).id, recordOf(4).id]
    const swap = (id: string) => (id === a ? b : id === b ? a : id)
    const log = await sealedLog(RECORDS, [2, 5])
    const swapped = <Row extends { readonly id: string }>(rows: readonly Row[]) =>
      rows.map((row) => ({ ...row, id: swap(row.id) }))
    expect(found({ ...log, records: swapped(log.records), seals: swapped(log.seals) })).toEqual([
      'RecordMisfiled 1/2',
      'RecordMisfiled 1/4',
    ])
  })

  it('does not hold when one lies under a key that nobody has, so that its MAC is not asked', async () => {
    const log = await sealedLog(RECORDS, [2, 5])
    expect(found({ ...log, records: changed(log.records, 4, { key: 'nobody' }) })).toEqual([
      'RecordMisfiled 1/4',
    ])
  })
})
