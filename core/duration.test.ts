import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['720h', 2_592_000_000],
    ['1h30m', 5_400_000],
    ['45s', 45_000],
    ['250ms', 250],
    ['0s', 0],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '10', '1d', '-5m', '1.5h', '5m1h', '1h ', '99999999h'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(`not a duration: "${text}"`)
  })
})

describe('formatDuration', () => {
  it('reads back to the same number for every whole number of milliseconds of ten years', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 315_360_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })

  it('refuses a fraction and a negative number', () => {
    expect(() => formatDuration(0.5)).toThrow('whole number')
    expect(() => formatDuration(-1)).toThrow('whole number')
  })
})
