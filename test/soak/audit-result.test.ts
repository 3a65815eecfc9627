import { describe, expect, it } from 'vitest'
import { auditPage, isWhole, type AuditSoak } from './audit-result.ts'

const latency = { p50: 2, p99: 5, most: 9 }
const soak = (failures: string[] = [], killed = 3): AuditSoak => ({
  date: '2026-11-27',
  machine: { cores: 2, cpu: 'x', memoryGiB: 8, kernel: '6', node: 'v24', commit: 'abc' },
  loadBefore: 0,
  seed: 7,
  kills: {
    ...{ asked: 3, killed, acknowledged: 900, records: 1_000, deadlocks: 0, minutes: 1 },
    failures,
  },
  flood: {
    ...{ seconds: 60, connections: 64, sources: 5_000, readsPerSecond: 50 },
    ...{ answers: { 401: 30_000 }, rows: 1_001, records: 2, minutes: 2 },
    ...{ before: latency, during: { ...latency, p99: 6 }, failures: [] },
  },
})

describe('isWhole', () => {
  it('is true when everything held and as many were killed as was asked for', () => {
    expect(isWhole(soak())).toBe(true)
    expect(isWhole(soak(['forked']))).toBe(false)
    expect(isWhole(soak([], 2))).toBe(false)
  })
})

describe('auditPage', () => {
  it('tells how much slower others were served, and how to see it again', () => {
    const text = auditPage(soak())
    expect(text).toContain('| read, 99th percentile, ms | 5.0 | 6.0 | 20 % |')
    expect(text).toContain('make soak ARGS="--audit --kills 3 --seed 7"')
    expect(text).toContain('30000 (401: 30000)')
  })
})
