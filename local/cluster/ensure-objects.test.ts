import { describe, expect, it } from 'vitest'
import { toldOf } from './ensure-objects.ts'

describe('toldOf', () => {
  it.each([
    [0, 0, 'unchanged'],
    [2, 0, '2 of 5 objects applied'],
    [0, 1, '1 removed'],
    [2, 1, '2 of 5 objects applied, 1 removed'],
  ])('says what %i applied and %i removed are', (applied, removed, told) => {
    expect(toldOf(applied, 5, removed)).toBe(told)
  })
})
