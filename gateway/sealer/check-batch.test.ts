import { describe, expect, it } from 'vitest'
import { provenLog } from '../../test/support/proven-log.ts'
import { checkBatch, type StoredBatch } from './check-batch.ts'

const { log, evidence } = await provenLog([3, 5, 9])

/** Of the batch with this number, after something was done to it, or to the one before. */
function found(index: number, over: Partial<StoredBatch> = {}, overBefore?: Partial<StoredBatch>) {
  const batch = { ...log.batches[index], ...over } as StoredBatch
  const before = log.batches[index - 1]
  const seals = log.seals.filter(({ seq }) => seq >= batch.first && seq <= batch.last)
  return checkBatch(batch, before && { ...before, ...overBefore }, seals, evidence.verifiers)?.code
}

describe('checkBatch', () => {
  it('finds nothing in batches as they were sealed', () => {
    expect([0, 1, 2].map((index) => found(index))).toEqual([undefined, undefined, undefined])
  })

  it.each([
    ['a right edge with a node too few', { frontier: [] }],
    ['a right edge with a node of 70 bytes', { frontier: [Buffer.alloc(70), Buffer.alloc(32)] }],
    ['numbers whose right edge has empty nodes', { numberingFrontier: Array(2).fill(Buffer.of()) }],
    ['no right edge at all', { frontier: null as unknown as Buffer[] }],
    ['a root that is not there', { prevRoot: undefined as unknown as Buffer }],
  ])('names a batch with %s', (_, over) => {
    expect(found(1, over)).toBe('BatchEdited')
  })

  it('names one batch alone where the right edge of one was changed', () => {
    expect(found(2, {}, { frontier: [Buffer.alloc(70)] })).toBeUndefined()
  })

  it('names an epoch that begins without saying, signed, what it goes on from', async () => {
    const { root } = log.batches[2] as StoredBatch
    const other = await provenLog([3])
    const first = other.log.batches[0] as StoredBatch
    const begins = (over: Partial<StoredBatch>) =>
      checkBatch(
        { ...first, epoch: 2, prevRoot: root, ...over },
        log.batches[2],
        other.log.seals,
        evidence.verifiers,
      )?.code
    expect(begins({})).toBe('EpochUnexplained')
    expect(begins({ prevRoot: first.prevRoot })).toBe('BatchEdited')
  })
})
