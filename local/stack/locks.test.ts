import { describe, expect, it } from 'vitest'
import { hasEnded } from './locks.ts'

describe('hasEnded', () => {
  it('tells a killed process that nobody collected from a sleeping one', () => {
    expect(hasEnded('5694 (pulumi) Z 1 5690 5690 0')).toBe(true)
    expect(hasEnded('5694 (pulumi) S 1 5690 5690 0')).toBe(false)
  })
  it('reads past a bracket in the name', () => {
    expect(hasEnded('5694 (a) Z (b) S 1 5690')).toBe(false)
  })
})
