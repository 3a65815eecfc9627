import { describe, expect, it } from 'vitest'
import { fixedClock } from './clock.ts'

describe('fixedClock', () => {
  it('gives the same instant each time, and a fresh Date that a caller may change', () => {
    const clock = fixedClock('2026-03-29T01:00:00Z')
    clock.now().setUTCFullYear(1999)
    expect(clock.now().toISOString()).toBe('2026-03-29T01:00:00.000Z')
  })

  it('refuses a text that is not a time', () => {
    expect(() => fixedClock('soon')).toThrow('not an ISO 8601 time: soon')
  })
})
