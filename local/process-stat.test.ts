import { describe, expect, it } from 'vitest'
import { hasEnded, startTicksOf } from './process-stat.ts'

describe('hasEnded', () => {
  it('tells a killed process that nobody collected from a sleeping one', () => {
    expect(hasEnded('5694 (pulumi) Z 1 5690 5690 0')).toBe(true)
    expect(hasEnded('5694 (pulumi) S 1 5690 5690 0')).toBe(false)
  })
  it('reads past a bracket in the name', () => {
    expect(hasEnded('5694 (a) Z (b) S 1 5690')).toBe(false)
  })
})

describe('startTicksOf', () => {
  it('is not misled by spaces and brackets in the name of a program', () => {
    const rest = Array.from({ length: 30 }, (_, i) => String(i + 3)).join(' ')
    expect(startTicksOf(`42 (a) b (c)) ${rest}`)).toBe('22')
  })
})
