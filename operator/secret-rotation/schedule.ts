import { createHash } from 'node:crypto'
import { Cron } from 'croner'
import type { SecretRotationSpec } from '#api/v1alpha1/secret-rotation'
import { parseDuration } from '#core/duration'

export type Schedule = SecretRotationSpec['schedule']

/** The first moment at which a value issued at `issuedAt` is due to be replaced, inside a window if there are any. */
export function dueAt(schedule: Schedule, issuedAt: Date, seed: string): Date | undefined {
  const base = nominal(schedule, issuedAt)
  if (!base) return undefined
  const due = new Date(base.getTime() + jitter(schedule, issuedAt, seed))
  return opensAt(schedule, due)
}

function nominal({ every, cron, timeZone }: Schedule, issuedAt: Date): Date | undefined {
  if (every !== undefined) return new Date(issuedAt.getTime() + parseDuration(every))
  if (cron === undefined) return undefined
  return new Cron(cron, { timezone: timeZone }).nextRun(issuedAt) ?? undefined
}

/** The same for every replica and every pass, different for every resource and every turn. */
function jitter(schedule: Schedule, issuedAt: Date, seed: string): number {
  const most = parseDuration(schedule.jitter)
  const digest = createHash('sha256').update(`${seed}/${issuedAt.toISOString()}`).digest()
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * most)
}

/** `at` itself when a window is open then, otherwise the next opening. */
export function opensAt({ windows, timeZone }: Schedule, at: Date): Date | undefined {
  if (!windows || windows.length === 0) return at
  const openings = windows.map(({ start, duration }) => {
    const cron = new Cron(start, { timezone: timeZone })
    const lasts = parseDuration(duration)
    // The first start after (at - lasts): if it is not after `at`, that window is still open.
    const first = cron.nextRun(new Date(at.getTime() - lasts))
    if (!first) return undefined
    return first.getTime() <= at.getTime() ? at : first
  })
  const times = openings.flatMap((opening) => (opening ? [opening.getTime()] : []))
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}

/** What CEL cannot judge: whether the expressions and the zone mean anything. */
export function scheduleProblem(schedule: Schedule): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: schedule.timeZone })
  } catch {
    return `spec.schedule.timeZone: "${schedule.timeZone}" is not an IANA time zone; write one such as Europe/Vienna`
  }
  const expressions = [
    ...(schedule.cron === undefined ? [] : [{ field: 'cron', text: schedule.cron }]),
    ...(schedule.windows ?? []).map(({ start }, i) => ({
      field: `windows[${i}].start`,
      text: start,
    })),
  ]
  for (const { field, text } of expressions) {
    try {
      new Cron(text, { timezone: schedule.timeZone })
    } catch {
      return `spec.schedule.${field}: "${text}" is not a cron expression of five fields; write one such as "0 3 * * 1"`
    }
  }
  return undefined
}
