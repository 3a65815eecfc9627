import { describe, expect, it } from 'vitest'
import { floodPage, type FloodResult } from './flood-result.ts'

const served = { p50: 2, p99: 5, most: 9, cpu: 0.05 }
const result = (over: Partial<FloodResult> = {}): FloodResult => ({
  date: '2026-11-27',
  machine: { cores: 2, cpu: 'x', memoryGiB: 8, kernel: '6', node: 'v24', commit: 'abc' },
  loadBefore: 0,
  ...{ seconds: 60, connections: 64, sources: 5_000, readsPerSecond: 50 },
  ...{ answers: { 401: 30_000 }, rows: 1_001, records: 2, minutes: 2 },
  ...{ before: served, during: { ...served, p99: 6, cpu: 0.15 }, failures: [] },
  ...over,
})

describe('floodPage', () => {
  it('tells how much slower others were served, and what the flood took of the processor', () => {
    const text = floodPage(result())
    expect(text).toContain('| read, 99th percentile, ms | 5.0 | 6.0 | 20.0 % |')
    expect(text).toContain("| the gateway's share of one processor | 5.0 % | 15.0 % | |")
    expect(text).toContain('30000 (401: 30000)')
    expect(text).not.toContain('other work')
  })

  it('says so when the machine was not quiet', () => {
    expect(floodPage(result({ loadBefore: 9 }))).toContain('did other work')
  })
})
