import { describe, expect, it } from 'vitest'
import { auditPage, isWhole, type AuditSoak } from './audit-result.ts'

const soak = (failures: string[] = [], killed = 3): AuditSoak => ({
  date: '2026-11-27',
  machine: { cores: 2, cpu: 'x', memoryGiB: 8, kernel: '6', node: 'v24', commit: 'abc' },
  loadBefore: 0,
  seed: 7,
  kills: {
    ...{ asked: 3, killed, acknowledged: 900, records: 1_000, deadlocks: 0, minutes: 1 },
    failures,
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
  it('says what did not hold, and how to see it again', () => {
    expect(auditPage(soak())).toContain('| what did not hold | nothing |')
    const text = auditPage(soak(['Forked 1/7', 'RecordEdited 1/9']))
    expect(text).toContain('| what did not hold | Forked 1/7; RecordEdited 1/9 |')
    expect(text).toContain('make soak ARGS="--audit --kills 3 --seed 7"')
  })
})
