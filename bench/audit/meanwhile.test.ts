import { describe, expect, it } from 'vitest'
import { between, type Meanwhile, stolenMs, together } from './meanwhile.ts'

const seen = (n: number, gcLongestMs: number): Meanwhile => ({
  ...{ fsyncs: n, walBytes: n, fullPages: n, checkpoints: n, checkpointPages: n, autovacuums: n },
  ...{ walFiles: n, connections: n, batches: n, gcPauses: n, gcMs: n, stealMs: n, gcLongestMs },
})

describe('between', () => {
  it('is what was counted since, and the longest pause since', () => {
    expect(between(seen(3, 90), seen(10, 4))).toEqual(seen(7, 4))
  })
})

describe('together', () => {
  it('adds up what rounds counted, and keeps the longest pause of all', () => {
    expect(together([seen(1, 2), seen(2, 9), seen(3, 4)])).toEqual(seen(6, 9))
  })
})

describe('stolenMs', () => {
  it('reads what the host gave to others, for all processors together', () => {
    expect(stolenMs('cpu  48488 1968 14374 20885 376 0 211 190 0 0\ncpu0 1 2 3 4 5 6 7 8\n')).toBe(
      1_900,
    )
  })
})
