import { describe, expect, it } from 'vitest'
import { RefusalPace } from './refusal-pace.ts'

/** Waits of so many refusals at one moment, in ms; 0 for none. */
function pace() {
  let now = 1_000
  let held = 0
  const waits: number[] = []
  const one = new RefusalPace({
    nowMs: () => now,
    wait: async (ms) => void waits.push(ms),
    onHeld: () => (held += 1),
  })
  return {
    refuse(times: number) {
      waits.length = 0
      let atOnce = 0
      for (let i = 0; i < times; i += 1) if (one.turn() === undefined) atOnce += 1
      return { atOnce, waits: [...waits] }
    },
    pass: (ms: number) => (now += ms),
    held: () => held,
  }
}

describe('RefusalPace', () => {
  it('answers 500 at once after a quiet second', () => {
    expect(pace().refuse(500)).toEqual({ atOnce: 500, waits: [] })
  })

  it('lets what comes beyond leave at 500 a second', () => {
    const one = pace()
    one.refuse(500)
    expect(one.refuse(3).waits).toEqual([2, 4, 6])
    one.pass(1_000)
    // Of the second that passed three turns are spoken for.
    expect(one.refuse(498)).toEqual({ atOnce: 497, waits: [2] })
    expect(one.held()).toBe(4)
  })

  it('holds nobody longer than 5 s', () => {
    const one = pace()
    one.refuse(500)
    const { atOnce, waits } = one.refuse(10_000)
    expect(Math.max(...waits)).toBe(5_000)
    expect([waits.length, atOnce]).toEqual([2_500, 7_500])
  })

  it('forgets a flood once its answers have left', () => {
    const one = pace()
    one.refuse(10_000)
    one.pass(6_000)
    expect(one.refuse(500).atOnce).toBe(500)
  })
})
