import { describe, expect, it } from 'vitest'
import { Deaf, hasListener } from './policy-queue.ts'

describe('hasListener', () => {
  const table = '  100      1     0 2   128     0     0     6446  1\n 1000  7 0 2 128 0 0 1 1\n'
  it.each([
    [100, true],
    [1000, true],
    [10, false],
    [1, false],
  ])('of queue %d: %s', (queue, expected) => {
    expect(hasListener(table, queue)).toBe(expected)
  })
  it('is false where the table is empty', () => {
    expect(hasListener('', 100)).toBe(false)
  })
})

describe('Deaf', () => {
  it('names an agent once the queue has had no listener for eight seconds of its life', () => {
    const deaf = new Deaf()
    expect(deaf.observe([7], false, 0)).toEqual([])
    expect(deaf.observe([7], false, 8_000)).toEqual([])
    expect(deaf.observe([7], false, 8_001)).toEqual([7])
  })
  it('begins anew when somebody listened meanwhile', () => {
    const deaf = new Deaf()
    deaf.observe([7], false, 0)
    deaf.observe([], true, 5_000)
    expect(deaf.observe([7], false, 9_000)).toEqual([])
  })
  it('gives the next agent its own time', () => {
    const deaf = new Deaf()
    deaf.observe([7], false, 0)
    expect(deaf.observe([9], false, 9_000)).toEqual([])
    expect(deaf.observe([9], false, 18_000)).toEqual([9])
  })
})
