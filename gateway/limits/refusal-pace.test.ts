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
  it('answers 200 at once after a quiet second', () => {
    expect(pace().refuse(200)).toEqual({ atOnce: 200, waits: [] })
  })

  it('lets what comes beyond leave at 200 a second', () => {
    const one = pace()
    one.refuse(200)
    expect(one.refuse(3).waits).toEqual([5, 10, 15])
    one.pass(1_000)
    // Of the second that passed three turns are spoken for.
    expect(one.refuse(198)).toEqual({ atOnce: 197, waits: [5] })
    expect(one.held()).toBe(4)
  })

  it('holds nobody longer than 5 s', () => {
    const one = pace()
    one.refuse(200)
    const { atOnce, waits } = one.refuse(10_000)
    expect(Math.max(...waits)).toBe(5_000)
    expect([waits.length, atOnce]).toEqual([1_000, 9_000])
  })

  it('forgets a flood once its answers have left', () => {
    const one = pace()
    one.refuse(10_000)
    one.pass(6_000)
    expect(one.refuse(200).atOnce).toBe(200)
  })
})
