import { describe, expect, it } from 'vitest'
import { Throttle } from './throttle.ts'

describe('Throttle', () => {
  it('lets one message per subject pass in ten seconds, and none at once', () => {
    const throttle = new Throttle(10_000)
    expect([0, 1, 9_999, 10_000, 10_001, 20_000].map((now) => throttle.allows('a', now))).toEqual([
      false,
      false,
      false,
      true,
      false,
      true,
    ])
  })
  it('counts each subject by itself', () => {
    const throttle = new Throttle(10_000)
    throttle.allows('a', 0)
    throttle.allows('b', 5_000)
    expect(throttle.allows('a', 10_000)).toBe(true)
    expect(throttle.allows('b', 10_000)).toBe(false)
  })
})
