import { describe, expect, it } from 'vitest'
import { provenLog } from '../../test/support/proven-log.ts'
import { TO } from './audience.ts'
import type { AuditLog } from './export.ts'
import { verifyLog, type Evidence } from './verify.ts'

/** What needs no database; every way of tampering with a real one is in test/faults/audit-tampering.postgres.test.ts. */

const { log, evidence } = await provenLog([3, 5, 9])

const found = (of: AuditLog, over: Partial<Evidence> = {}) =>
  verifyLog(of, { ...evidence, witness: [], ...over }).findings.map(
    ({ code, where }) => `${code} ${where}`,
  )

/** What is left when the database forgets all behind this many batches, and says that it sealed so often. */
function rewound(batches: number, batchCounter: number): AuditLog {
  const kept = log.batches.slice(0, batches)
  const last = kept.at(-1)?.last ?? 0
  const seals = log.seals.filter(({ seq }) => seq <= last)
  const ids = new Set(seals.map(({ id }) => id))
  const records = log.records.filter(({ id }) => ids.has(id))
  return { ...log, header: { ...log.header, batchCounter }, records, seals, batches: kept }
}

describe('verifyLog', () => {
  it('finds nothing in a log as it was sealed', () => {
    expect(found(log)).toEqual([])
    expect(found(log, { checkpoints: log.batches.map(({ checkpoint }) => checkpoint) })).toEqual([])
  })

  it('misses a tail that was cut with everything that belongs to it', () => {
    expect(found(rewound(2, 3))).toEqual(['TailCut 1/6..9'])
    expect(found(rewound(0, 3))).toEqual(['TailCut 1/1..9'])
  })

  it('tells a restored backup from a cut tail', () => {
    expect(found(rewound(2, 2))).toEqual(['RestoredDump 1/6..9'])
  })

  it('says of a restored backup that nothing proves it to be the newest, when no checkpoint is given', () => {
    const blind = { ...evidence, witness: [], checkpoints: [] }
    const { ok, doesNotProve } = verifyLog(rewound(2, 2), blind)
    expect(ok).toBe(true)
    expect(doesNotProve.join()).toContain('that this is the newest database')
  })

  it('says to whom it proves each thing, by the evidence that they have', () => {
    const { proves } = verifyLog(log, evidence)
    expect(proves.map((sentence) => sentence.split(': ')[0])).toEqual(Object.values(TO))
    const { proves: bare } = verifyLog(log, { ...evidence, verifiers: [], checkpoints: [] })
    expect(bare.map((sentence) => sentence.split(': ')[0])).not.toContain(TO.keys)
  })

  it.each([
    ['a node too many', (nodes: readonly Buffer[]) => [...nodes, Buffer.alloc(32)]],
    ['a node too few', (nodes: readonly Buffer[]) => nodes.slice(1)],
    ['a node of 70 bytes', (nodes: readonly Buffer[]) => [Buffer.alloc(70), ...nodes.slice(1)]],
    ['an empty node', (nodes: readonly Buffer[]) => [Buffer.alloc(0), ...nodes.slice(1)]],
  ])('names a batch whose right edge has %s, with and without a key', (_, change) => {
    for (const edge of ['frontier', 'numberingFrontier'] as const) {
      const batches = log.batches.map((batch, i) =>
        i === 1 ? { ...batch, [edge]: change(batch[edge]) } : batch,
      )
      expect(found({ ...log, batches })).toEqual(['BatchEdited 1/4..5'])
      expect(found({ ...log, batches }, { verifiers: [], checkpoints: [] })).toEqual([
        'BatchEdited 1/4..5',
      ])
    }
  })
})
