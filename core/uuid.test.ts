import { describe, expect, it } from 'vitest'
import { fixedClock } from './clock.ts'
import { momentOf, uuidV7 } from './uuid.ts'

describe('uuidV7', () => {
  it('writes the example of RFC 9562 A.6', () => {
    const bits = Buffer.from('0cc318c4dc0c0c07398f', 'hex')
    expect(uuidV7(fixedClock('2022-02-22T19:22:22Z'), () => bits)).toBe(
      '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    )
  })

  it('keeps its moment', () => {
    const at = '2026-11-27T10:00:00.123Z'
    expect(momentOf(uuidV7(fixedClock(at))).toISOString()).toBe(at)
  })

  it('sorts by time', () => {
    const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z'].map((at) =>
      uuidV7(fixedClock(at)),
    )
    expect([late, early].sort()).toEqual([early, late])
  })
})
