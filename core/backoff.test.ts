import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fullJitter } from './backoff.ts'

describe('fullJitter', () => {
  const limits = { baseMs: 1_000, capMs: 420_000 }

  it('doubles the bound with each attempt until the cap', () => {
    const almostOne = () => 0.999_999
    expect(
      [0, 1, 2, 9, 60].map((n) => Math.round(fullJitter(n, limits, almostOne) / 1_000)),
    ).toEqual([1, 2, 4, 420, 420])
  })

  it('never leaves the range from 0 to the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1, max: 5_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, dice) => {
          const wait = fullJitter(attempt, limits, () => dice)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThan(limits.capMs)
        },
      ),
    )
  })
})
