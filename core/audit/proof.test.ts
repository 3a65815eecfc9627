import { describe, expect, it } from 'vitest'
import type { RecordsProof } from '#api/audit-proof'
import { noteSigner } from '../../test/support/note-signer.ts'
import { sealedLog, SIGNER, VERIFIERS } from '../../test/support/sealed-log.ts'
import type { AuditLog, LogRecord } from './export.ts'
import { logCheckpointText } from './log-checkpoint.ts'
import { leafHash } from './merkle.ts'
import { signNote } from './note.ts'
import { NoProof, proveHistory, proveRecords, proveTenant } from './proof.ts'
import { verifyProof } from './verify-proof.ts'

/** Of tenants a and b in turn. */
const tenantOf = (seq: number) => (seq % 2 === 1 ? 'a' : 'b')

const recordOf = (seq: number, told = tenantOf(seq)): LogRecord => ({
  ...{ type: 'record', id: `r${seq}`, tenant: tenantOf(seq), key: 'k' },
  record: Buffer.from(`{"id":"r${seq}","tenant":"${told}"}`),
  mac: Buffer.alloc(32),
})

/** Records r1, r2, ... in batches that end where told; the last one waits. */
const logOf = (ends: readonly number[], tells = tenantOf): Promise<AuditLog> =>
  sealedLog(
    Array.from({ length: (ends.at(-1) ?? 0) + 1 }, (_, i) => recordOf(i + 1, tells(i + 1))),
    ends,
  )

const judge = (proof: Parameters<typeof verifyProof>[0]) => verifyProof(proof, VERIFIERS)

describe('a proof of records', () => {
  it('holds for each record of the log, with the key of the log alone', async () => {
    const log = await logOf([4, 11])
    for (const { id } of log.seals) expect(judge(proveRecords(log, [id])).faults).toEqual([])
  })

  it('shows nothing to whoever has another key', async () => {
    const { verifier } = noteSigner(SIGNER.name)
    const verdict = verifyProof(proveRecords(await logOf([4]), ['r2']), [verifier])
    expect(verdict).toMatchObject({ ok: false, shows: [] })
  })

  it('does not lend the checkpoint of one log to another', async () => {
    const proof = proveRecords(await logOf([4]), ['r2'])
    const foreign = VERIFIERS.map((each) => ({ ...each, name: 'palisade.dev/audit/other' }))
    expect(verifyProof(proof, foreign).ok).toBe(false)
  })

  it('falls with one changed byte, place, tenant or number', async () => {
    const proof = proveRecords(await logOf([4, 11]), ['r6'])
    const [one] = proof.records
    if (!one) throw new TypeError('no record')
    const changed: Partial<typeof one>[] = [
      { record: Buffer.from('{"id":"r9","tenant":"b"}').toString('base64') },
      { place: { ...one.place, seq: 7 } },
      { place: { ...one.place, tenant: 'a' } },
      { place: { ...one.place, tenantSeq: 4 } },
      { place: { ...one.place, epoch: 2 } },
    ]
    for (const change of changed) {
      expect(judge({ ...proof, records: [{ ...one, ...change }] }).ok, JSON.stringify(change)).toBe(
        false,
      )
    }
  })

  it('is refused for a record that waits, is unknown, or was edited', async () => {
    const log = await logOf([4])
    expect(() => proveRecords(log, ['r5'])).toThrow(/not sealed yet/)
    expect(() => proveRecords(log, ['r9'])).toThrow(/not in this log/)
    const edited = log.records.map((each) =>
      each.id === 'r2' ? { ...each, record: Buffer.from('{"id":"rX"}') } : each,
    )
    expect(() => proveRecords({ ...log, records: edited }, ['r2'])).toThrow(NoProof)
  })

  it('is refused by a log whose seals have a gap', async () => {
    const log = await logOf([4])
    const seals = log.seals.filter(({ seq }) => seq !== 2)
    expect(() => proveRecords({ ...log, seals }, ['r1'])).toThrow(/incomplete/)
  })
})

describe('a proof of all records of a tenant', () => {
  it('holds, and shows no record of another', async () => {
    const proof = proveTenant(await logOf([4, 11]), 'b')
    expect(judge(proof)).toMatchObject({ ok: true })
    expect(proof.records.map(({ place }) => place.seq)).toEqual([2, 4, 6, 8, 10])
  })

  it('falls when a record was left out, doubled or put out of order', async () => {
    const proof = proveTenant(await logOf([4, 11]), 'a')
    const [first, second, ...rest] = proof.records as RecordsProof['records'] & { length: 6 }
    if (!first || !second) throw new TypeError('no records')
    for (const records of [
      [first, ...rest],
      [first, first, second, ...rest],
      [second, first, ...rest],
    ]) {
      expect(judge({ ...proof, records }).ok).toBe(false)
    }
  })

  it("falls when one of them is another tenant's by its own bytes", async () => {
    const log = await logOf([4, 11], (seq) => (seq === 4 ? 'a' : tenantOf(seq)))
    expect(judge(proveTenant(log, 'b'))).toMatchObject({
      ok: false,
      faults: ['1/4: these bytes name another tenant'],
    })
    expect(judge(proveRecords(log, ['r4'])).ok).toBe(false)
  })

  it('says of each epoch up to which number, and claims no epoch that is not in it', async () => {
    const { shows } = judge(proveTenant(await logOf([4, 11]), 'b'))
    expect(shows.at(-1)).toBe(
      'none of tenant b is missing in epoch 1 up to its number 5; later ones are not shown',
    )
  })

  it('is refused for a tenant without a sealed record', async () => {
    const log = await logOf([4])
    expect(() => proveTenant(log, 'c')).toThrow(NoProof)
  })
})

describe('a proof of history', () => {
  it('holds between each two checkpoints of a log', async () => {
    const log = await logOf([1, 4, 6, 11])
    for (const { checkpoint, last } of log.batches) {
      const proof = proveHistory(log, { note: checkpoint, epoch: 1, size: last })
      expect(judge(proof).faults).toEqual([])
    }
  })

  it('falls when the older checkpoint is of another history', async () => {
    const log = await logOf([4, 11])
    const record = Buffer.from('{"id":"rewritten"}')
    const text = logCheckpointText({
      log: SIGNER.name,
      epoch: 1,
      size: 4,
      root: leafHash(record),
      numbering: leafHash(record),
      counter: 1,
    })
    const note = await signNote(text, [SIGNER])
    expect(judge(proveHistory(log, { note, epoch: 1, size: 4 }))).toMatchObject({
      ok: false,
      faults: [expect.stringMatching(/does not begin/)],
    })
  })

  it('is refused when the older checkpoint lies beyond the log', async () => {
    const log = await logOf([4])
    expect(() => proveHistory(log, { note: '', epoch: 1, size: 5 })).toThrow(/has 4 records/)
  })
})
