import { describe, expect, it } from 'vitest'
import { readOptions } from './options.ts'

describe('readOptions', () => {
  it('measures everything, the pair for long enough that a hundredth of it is many', () => {
    const { counts, only } = readOptions([])
    expect(only).toBeUndefined()
    expect(counts['pair-seconds']).toBeGreaterThanOrEqual(20)
    expect(counts['pair-seconds'] * counts['pair-rounds'] * 500 * 0.01).toBeGreaterThanOrEqual(500)
  })

  it('takes one part by its name', () => {
    expect(readOptions(['--only', 'added-latency', '--pair-rounds', '2'])).toMatchObject({
      only: 'added-latency',
      counts: { 'pair-rounds': 2 },
    })
  })

  it('refuses what is no count, and a part that it does not know', () => {
    expect(() => readOptions(['--rounds', '0'])).toThrow('whole numbers')
    expect(() => readOptions(['--only', 'peers'])).toThrow('added-latency')
  })
})
