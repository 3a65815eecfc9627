import { describe, expect, it } from 'vitest'
import { atRate, partOf, saturate } from './load.ts'

describe('partOf', () => {
  it('takes medians and the 99th percentile of what was measured, and the rate over all of it', () => {
    const times = Array.from({ length: 101 }, (_, i) => 100 - i)
    expect(partOf(times, 2_000)).toEqual({ records: 101, perSecond: 50.5, p50: 50, p99: 99 })
  })
})

describe('saturate', () => {
  it('keeps as many appends open as there are writers, and counts each', async () => {
    let [open, most, count] = [0, 0, 0]
    const part = await saturate(
      async () => {
        most = Math.max(most, (open += 1))
        await new Promise((done) => setImmediate(done))
        open -= 1
        count += 1
      },
      7,
      0.05,
    )
    expect([most, part.records]).toEqual([7, count])
  })
})

describe('atRate', () => {
  it('asks for each record once, also when an earlier one takes longer than its turn', async () => {
    const asked: number[] = []
    const part = await atRate(
      async (index) => {
        asked.push(index)
        if (index === 0) await new Promise((done) => setTimeout(done, 30))
      },
      200,
      0.1,
    )
    expect(asked).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(part.records).toBe(20)
  })
})
