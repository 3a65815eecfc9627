import { describe, expect, it } from 'vitest'
import type { Part } from './parts.ts'
import { countTests, summary } from './report.ts'

const vitest = (
  numPassedTests: number,
  numFailedTests = 0,
  numPendingTests = 0,
  numTodoTests = 0,
): string => JSON.stringify({ numPassedTests, numFailedTests, numPendingTests, numTodoTests })
const part: Part = { name: 'audit', budgetMinutes: 4, apart: [], onPlatform: [] }

describe('countTests', () => {
  it('counts what vitest reports', () => {
    expect(countTests(vitest(5, 2), 1, 'a step')).toMatchObject({ passed: 5, failed: 2 })
  })
  it('counts a skipped test as failed', () => {
    expect(countTests(vitest(5, 0, 1), 0, 'a step')).toMatchObject({ passed: 5, failed: 1 })
  })
  it('counts a test that is yet to be written as failed', () => {
    expect(countTests(vitest(5, 0, 0, 1), 0, 'a step')).toMatchObject({ passed: 5, failed: 1 })
  })
  it('fails a run that found no test', () => {
    expect(countTests(vitest(0), 0, 'a step')).toMatchObject({ passed: 0, failed: 1 })
  })
  it('fails a run that wrote no report', () => {
    expect(countTests(undefined, 0, 'a step')).toMatchObject({ passed: 0, failed: 1 })
  })
  it('fails a non-zero exit that no failed test explains', () => {
    expect(countTests(vitest(5), 1, 'a step')).toMatchObject({ passed: 5, failed: 1 })
  })
})

describe('summary', () => {
  it('names what failed right above its last line, where the tail of a log shows it', () => {
    const counts = { passed: 3, failed: 1, failures: ['a.test.ts: it holds: it does not'] }
    const { text } = summary([{ part, counts, minutes: 1 }], 1)
    expect(text.split('\n').slice(-2)).toEqual([
      'a.test.ts: it holds: it does not',
      '3 passed, 1 failed',
    ])
  })
  it('fails a part that took longer than its budget', () => {
    const { text, ok } = summary(
      [{ part, counts: { passed: 3, failed: 0, failures: [] }, minutes: 4.2 }],
      4.2,
    )
    expect(ok).toBe(false)
    expect(text).toContain('OVER BUDGET')
    expect(text.split('\n').at(-1)).toBe('3 passed, 1 failed')
  })
  it('fails a run that took longer than all of it may', () => {
    const { text, ok } = summary(
      [{ part, counts: { passed: 3, failed: 0, failures: [] }, minutes: 4 }],
      35.1,
    )
    expect(ok).toBe(false)
    expect(text).toContain('OVER LIMIT')
  })
  it('fails a run that took longer than one without any cache may, though its parts were in time', () => {
    const counts = { passed: 3, failed: 0, failures: [] }
    const run = (inAll: number) => summary([{ part, counts, minutes: 4 }], 30, inAll)
    expect(run(59.9).ok).toBe(true)
    expect(run(60.1)).toMatchObject({ ok: false, text: expect.stringContaining('60.1 of 60 min') })
  })
  it('fails when nothing ran', () => {
    expect(summary([], 0).ok).toBe(false)
  })
})
