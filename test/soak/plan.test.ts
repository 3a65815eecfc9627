import { describe, expect, it } from 'vitest'
import { planOf } from './plan.ts'

const PLACES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

describe('planOf', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planOf(PLACES, 50, 7)).toEqual(planOf(PLACES, 50, 7))
    expect(planOf(PLACES, 50, 7)).not.toEqual(planOf(PLACES, 50, 8))
  })

  it('begins the same way when it is shorter, so that a failure is reached again by its number', () => {
    expect(planOf(PLACES, 50, 7).slice(0, 20)).toEqual(planOf(PLACES, 20, 7))
  })

  it('comes to every place as often as to any other, give or take one', () => {
    const counts = PLACES.map(
      (place) => planOf(PLACES, 24, 3).filter((one) => one.place === place).length,
    )
    expect(Math.min(...counts)).toBe(3)
    expect(Math.max(...counts)).toBe(4)
  })

  it('lets some heirs die as well, not all', () => {
    const heirs = planOf(PLACES, 100, 3).filter(({ heir }) => heir !== undefined).length
    expect(heirs).toBeGreaterThan(10)
    expect(heirs).toBeLessThan(50)
  })
})
