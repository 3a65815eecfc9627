import { failuresOf, type ReportedFiles } from './failures.ts'
import { COLD_LIMIT_MINUTES, LIMIT_MINUTES, type Part } from './parts.ts'

/** Numbers of tests, and a line for each that did not pass. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly string[]
}

export interface PartResult {
  readonly part: Part
  readonly counts: Counts
  readonly minutes: number
}

export const NOTHING: Counts = { passed: 0, failed: 0, failures: [] }

/** What counts as one test that did not pass. */
export const failure = (line: string): Counts => ({ passed: 0, failed: 1, failures: [line] })

export const addCounts = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  failures: [...a.failures, ...b.failures],
})

interface VitestReport extends ReportedFiles {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
}

/**
 * Reads vitest's JSON report. A skipped test counts as failed, because a skip hides a missing part, as does a todo;
 * so do a run without tests and a non-zero exit that no failed test explains.
 */
export function countTests(report: string | undefined, exitCode: number, step: string): Counts {
  if (report === undefined) return failure(`${step}: wrote no report and ended with ${exitCode}`)
  const seen = JSON.parse(report) as VitestReport
  const { numPassedTests } = seen
  const failed = seen.numFailedTests + seen.numPendingTests + seen.numTodoTests
  const counts = { passed: numPassedTests, failed, failures: failuresOf(seen) }
  const isExplained = failed > 0 || (exitCode === 0 && numPassedTests > 0)
  if (isExplained) return counts
  const why = `${step}: ${numPassedTests} passed, none failed, and it ended with ${exitCode}`
  return addCounts(counts, failure(why))
}

/**
 * Table of minutes per part, of all parts side by side and of the whole run, which began with the platform; then what
 * failed. The last line is what a CI reads.
 */
export function summary(
  results: readonly PartResult[],
  minutes: number,
  inAll = minutes,
): { text: string; ok: boolean } {
  const rows = results.map(({ part, counts, minutes }) => {
    const over = minutes > part.budgetMinutes ? '  OVER BUDGET' : ''
    const time = `${minutes.toFixed(1)} of ${part.budgetMinutes} min`
    return `${part.name.padEnd(24)}${time.padEnd(18)}${counts.passed} passed, ${counts.failed} failed${over}`
  })
  const total = results.map((r) => r.counts).reduce(addCounts, NOTHING)
  const late = results.filter((r) => r.minutes > r.part.budgetMinutes).length
  const limits = [
    limit('all, side by side', minutes, LIMIT_MINUTES),
    limit('with the platform', inAll, COLD_LIMIT_MINUTES),
  ]
  const failed = total.failed + late + limits.filter(({ isOver }) => isOver).length
  const text = [
    '',
    ...rows,
    ...limits.map(({ line }) => line),
    '',
    ...total.failures,
    `${total.passed} passed, ${failed} failed`,
  ].join('\n')
  return { text, ok: failed === 0 && total.passed > 0 }
}

function limit(name: string, minutes: number, most: number): { line: string; isOver: boolean } {
  const isOver = minutes > most
  const line = `${name.padEnd(24)}${minutes.toFixed(1)} of ${most} min`
  return { line: isOver ? `${line}  OVER LIMIT` : line, isOver }
}
