import { describe, expect, it } from 'vitest'
import { latenciesOf, slowestOf } from './latencies.ts'

const column = (length: number, of: (i: number) => number) =>
  Float64Array.from({ length }, (_, i) => of(i))

describe('latenciesOf', () => {
  it('takes the value that a share of all samples do not exceed, in whatever order they came', () => {
    const times = Array.from({ length: 1_000 }, (_, i) => 1_000 - i)
    expect(latenciesOf(times)).toEqual({
      ...{ count: 1_000, p50: 500, p95: 950, p99: 990, p999: 999, longest: 1_000 },
    })
  })

  it('sorts by size, not by text', () => {
    expect(latenciesOf([9, 10, 100])).toMatchObject({ p50: 10, longest: 100 })
  })
})

describe('slowestOf', () => {
  it('divides the slowest hundredth of all rounds among generator, event loop and call', () => {
    // One in a hundred takes 50 ms: in the first round for the generator, in the second for the call.
    const slow = (i: number) => i % 100 === 7
    const late = {
      sent: column(200, (i) => (slow(i) ? 40 : 0)),
      taken: column(200, (i) => (slow(i) ? 45 : 0)),
      answered: column(200, (i) => (slow(i) ? 50 : 1)),
    }
    const busy = { ...late, sent: column(200, () => 0), taken: column(200, () => 5) }
    expect(slowestOf([late, busy])).toEqual({ generator: 20, eventLoop: 5, call: 25 })
  })
})
