import type { Loss } from './epochs.ts'
import type { CheckedLog } from './checked-log.ts'
import type { Finding } from './findings.ts'
import { sealAt } from './told.ts'

/** Commits reach the log out of order and clocks differ; a record of this age may have been lost with those behind it. */
const SLACK_MS = 60_000

export interface ExplainedRecords {
  /** What no loss explains. */
  readonly findings: readonly Finding[]
  /** How many records each loss explains, in its order. */
  readonly missing: readonly number[]
}

/**
 * A record that a witness saw, that was never sealed here and is not there was lost with a restore, if it is of the time
 * that was lost: behind what survived, and before two people decided about it. The time is in its id (RFC 9562, version
 * 7). What cannot be placed in time is not explained.
 */
export function explainLost(
  log: CheckedLog,
  findings: readonly Finding[],
  losses: readonly Loss[],
): ExplainedRecords {
  const windows = losses.map((loss) => windowOf(log, loss))
  const missing = losses.map(() => 0)
  const left = findings.filter(({ code, where }) => {
    if (code !== 'UnsealedDeleted') return true
    const at = timeIn(where)
    const index = windows.findIndex(({ from, to }) => from <= at && at <= to)
    if (index < 0) return true
    missing[index] = (missing[index] ?? 0) + 1
    return false
  })
  return { findings: left, missing }
}

function windowOf(log: CheckedLog, { opening: { survives }, decision }: Loss) {
  const last = sealAt(log.seals, survives.epoch, survives.size)
  const from = survives.size === 0 ? -Infinity : timeIn(last?.id ?? '') - SLACK_MS
  // The sealer's clock, minutes after whatever was lost: nothing is added.
  return { from, to: decision?.at.getTime() ?? -Infinity }
}

/** NaN, which lies in no window, when it tells none. */
function timeIn(id: string): number {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id) ?? []
  return high && low ? Number.parseInt(high + low, 16) : NaN
}
