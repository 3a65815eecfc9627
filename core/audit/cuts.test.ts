import { describe, expect, it } from 'vitest'
import {
  archiveOf,
  MAC,
  MAC_KEYS,
  recordOf,
  rootAt,
  sealedLog,
  VERIFIERS,
} from '../../test/support/sealed-log.ts'
import type { Archive } from './archives.ts'
import { isCut } from './cuts.ts'
import type { AuditLog } from './export.ts'
import { proveRecords } from './proof.ts'
import { signRecord } from './record.ts'
import { verifyLog, type Evidence } from './verify.ts'
import { verifyProof } from './verify-proof.ts'

const DIGEST = 'd'.repeat(64)
const CUT_TO = 5
const SIZE = 9

const details = (root: string) => ({
  epoch: 1,
  first: 1,
  last: CUT_TO,
  root,
  archive: DIGEST,
  keepDays: 400,
})

const cutEvent = (root: string, overrides: object = {}) => ({
  eventType: 'audit.cut',
  macKey: MAC.id,
  time: '2026-01-02T03:04:05.000Z',
  actor: { kind: 'administrator', id: 'alice' },
  details: { ...details(root), ...overrides },
})

/** Nine records in batches that end at 3, 5 and 9; the eighth tells that 1..5 were cut. */
async function cutLog(event: (root: string) => object = cutEvent): Promise<AuditLog> {
  const seqs = Array.from({ length: SIZE }, (_, i) => i + 1)
  const root = rootAt(
    await sealedLog(
      seqs.map((seq) => recordOf(seq)),
      [3, CUT_TO],
    ),
    CUT_TO,
  )
  const records = seqs.map((seq) => recordOf(seq, seq === 8 ? event(root) : {}))
  return sealedLog(records, [3, CUT_TO, SIZE])
}

/** The same log, with the record of its cut under a key of somebody else's and sealed like that. */
async function forgedBy(forger: typeof MAC): Promise<AuditLog> {
  const honest = await cutLog()
  const records = honest.records.map((record, i) => {
    if (i !== 7) return record
    const event = JSON.parse(record.record.toString()) as object
    const { bytes, mac } = signRecord({ ...event, macKey: forger.id }, forger)
    return { ...record, key: forger.id, record: bytes, mac }
  })
  return sealedLog(records, [3, CUT_TO, SIZE])
}

const without = (log: AuditLog, last: number): AuditLog => ({
  ...log,
  records: log.records.slice(last),
})

const evidence = (overrides: Partial<Evidence> = {}): Evidence => ({
  verifiers: VERIFIERS,
  checkpoints: [],
  witness: [],
  macKeys: MAC_KEYS,
  ...overrides,
})

const archive = (log: AuditLog, first: number, last: number, digest = DIGEST): Archive => ({
  segment: archiveOf(log, first, last),
  digest,
})

const codes = (log: AuditLog, overrides: Partial<Evidence> = {}) =>
  verifyLog(log, evidence(overrides)).findings.map(({ code, where }) => `${code} ${where}`)

const DELETED = [1, 2, 3, 4, 5].map((seq) => `RecordDeleted 1/${seq}`)

describe('a log that was cut', () => {
  it('holds, and says what was cut, when, by whom and after which archive', async () => {
    const result = verifyLog(without(await cutLog(), CUT_TO), evidence())
    expect(result.findings).toEqual([])
    expect(result.cuts).toEqual([
      expect.objectContaining({
        epoch: 1,
        first: 1,
        last: CUT_TO,
        at: '2026-01-02T03:04:05.000Z',
        by: 'alice',
        archive: DIGEST,
        authenticated: true,
        missing: CUT_TO,
      }),
    ])
    expect(result.doesNotProve.join()).toContain(DIGEST)
  })

  it('holds while its records go one after another', async () => {
    expect(codes(without(await cutLog(), 2))).toEqual([])
  })

  it('misses one record more than was cut', async () => {
    expect(codes(without(await cutLog(), CUT_TO + 1))).toEqual([`RecordDeleted 1/${CUT_TO + 1}`])
  })

  it('does not hold without its MAC key and without its archive, since anybody may have cut it', async () => {
    const log = await cutLog()
    const macKeys = new Map()
    const result = verifyLog(without(log, CUT_TO), evidence({ macKeys }))
    expect(result.ok).toBe(false)
    expect(result.findings).toEqual([
      expect.objectContaining({ code: 'CutUnproven', where: '1/1..5' }),
    ])
    const part = [archive(log, 4, CUT_TO)]
    expect(codes(without(log, CUT_TO), { macKeys, archives: part })).toEqual(['CutUnproven 1/1..5'])
  })

  it('holds without the MAC key when its archive is whole, and does not say who decided it', async () => {
    const log = await cutLog()
    const archives = [archive(log, 1, CUT_TO)]
    const result = verifyLog(without(log, CUT_TO), evidence({ macKeys: new Map(), archives }))
    expect(result.findings).toEqual([])
    expect(result.doesNotProve.join()).toContain('who decided the cut 1/1..5')
  })

  it('proves its other records, and says what a cut one needs', async () => {
    const log = without(await cutLog(), CUT_TO)
    const [, alive] = log.records
    expect(verifyProof(proveRecords(log, [alive?.id ?? '']), VERIFIERS).ok).toBe(true)
    expect(() => proveRecords(log, [recordOf(1).id])).toThrow('--archive')
  })
})

describe('records that are missing', () => {
  it('were deleted when no record tells of a cut', async () => {
    expect(codes(without(await cutLog(() => ({})), CUT_TO))).toEqual(DELETED)
  })

  it.each([
    ['is not sealed', {}, 'unsealed'],
    ['names another root', { root: 'a'.repeat(64) }, 'sealed'],
    ['ends where no batch ends', { last: 4 }, 'sealed'],
    ['covers itself', { last: SIZE }, 'sealed'],
    ['is in another epoch', { epoch: 2 }, 'sealed'],
  ])('were deleted when the record of their cut %s', async (_, overrides, state) => {
    const log = without(await cutLog((root) => cutEvent(root, overrides)), CUT_TO)
    if (state === 'sealed') expect(codes(log)).toEqual(DELETED)
    else {
      const seals = log.seals.filter(({ seq }) => seq < 6)
      const batches = log.batches.filter(({ last }) => last <= CUT_TO)
      expect(codes({ ...log, seals, batches })).toEqual(expect.arrayContaining(DELETED))
    }
  })

  it('were deleted when somebody without the MAC key wrote the record of their cut', async () => {
    const log = await cutLog()
    const forger = { id: MAC.id, secret: Buffer.alloc(32, 1) }
    const records = log.records.map((record, i) =>
      i === 7
        ? { ...record, mac: signRecord(JSON.parse(record.record.toString()) as object, forger).mac }
        : record,
    )
    expect(codes(without({ ...log, records }, CUT_TO))).toEqual([...DELETED, 'RecordForged 1/8'])
  })

  it('were deleted when the record of their cut is under a key that nobody has', async () => {
    const forger = { id: 'nobody', secret: Buffer.alloc(32, 1) }
    const records = await forgedBy(forger)
    const archives = [archive(records, 1, CUT_TO)]
    const found = [...DELETED, 'CutUnproven 1/1..5']
    expect(codes(without(records, CUT_TO))).toEqual(found)
    expect(codes(without(records, CUT_TO), { archives })).toEqual(found)
  })

  it('were deleted when the record of their cut names another key than the one of its MAC', async () => {
    expect(
      codes(without(await cutLog((root) => ({ ...cutEvent(root), macKey: 'x' })), CUT_TO)),
    ).toEqual([...DELETED, 'RecordMisfiled 1/8'])
  })

  it('were deleted when an archive has them and no record tells of a cut', async () => {
    const log = await cutLog(() => ({}))
    const archives = [archive(log, 1, CUT_TO)]
    expect(codes(without(log, CUT_TO), { archives })).toEqual(DELETED)
  })

  it('are found by a witness that saw another record than the one that was sealed and cut', async () => {
    const witness = [{ id: recordOf(2).id, leaf: Buffer.alloc(32, 1) }]
    expect(codes(without(await cutLog(), CUT_TO), { witness })).toEqual(['RecordEdited 1/2'])
  })
})

describe('isCut', () => {
  const cut = {
    epoch: 2,
    first: 1,
    last: 5,
    at: '',
    by: '',
    archive: '',
    root: '',
    authenticated: true,
  }

  it('takes in the places of a cut, without the decision of two people that opens an epoch', () => {
    const places = [0, 1, 2, 5, 6].filter((seq) => isCut([cut], { epoch: 2, seq }))
    expect(places).toEqual([2, 5])
    expect(isCut([{ ...cut, epoch: 1 }], { epoch: 1, seq: 1 })).toBe(true)
    expect(isCut([cut], { epoch: 1, seq: 2 })).toBe(false)
  })
})

describe('with archives', () => {
  it('the whole history is verified, and the records of the archive are proved', async () => {
    const log = await cutLog()
    const archives = [archive(log, 1, CUT_TO)]
    const result = verifyLog(without(log, CUT_TO), evidence({ archives }))
    expect(result.findings).toEqual([])
    expect(result.cuts).toEqual([expect.objectContaining({ missing: 0 })])
    expect(result.proves.join()).toContain('1/1..5 are whole')
    expect(result.doesNotProve).not.toContain(DIGEST)
  })

  it('pieces that do not hold all of a cut leave the rest unproved', async () => {
    const log = await cutLog()
    const result = verifyLog(
      without(log, CUT_TO),
      evidence({ archives: [archive(log, 4, CUT_TO)] }),
    )
    expect(result.ok).toBe(true)
    expect(result.cuts).toEqual([expect.objectContaining({ missing: 3 })])
  })

  it('an archive with another digest than the cut names is found', async () => {
    const log = await cutLog()
    const archives = [archive(log, 1, CUT_TO, 'e'.repeat(64))]
    expect(codes(without(log, CUT_TO), { archives })).toEqual(['ArchiveDiffers 1/1..5'])
  })

  it('an archive whose record was edited is found', async () => {
    const log = await cutLog()
    const records = log.records.map((record, i) =>
      i === 1 ? { ...record, record: Buffer.from('{}') } : record,
    )
    const archives = [archive({ ...log, records }, 1, CUT_TO)]
    expect(codes(without(log, CUT_TO), { archives })).toContain('RecordEdited 1/2')
  })

  it('an archive of another log is found', async () => {
    const other = await sealedLog(
      [11, 12, 13, 14, 15].map((seq) => recordOf(seq)),
      [3, CUT_TO],
    )
    const archives = [archive(other, 1, CUT_TO)]
    expect(codes(without(await cutLog(), CUT_TO), { archives })).toContain('ArchiveDiffers 1/1..5')
  })
})
