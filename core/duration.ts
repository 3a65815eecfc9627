// The subset of Go durations that CEL's duration() and our CRDs accept: whole numbers, largest unit first.
const SHAPE = /^(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?(?:(\d{1,7})ms)?$/
const UNITS = [3_600_000, 60_000, 1_000, 1] as const
const SUFFIXES = ['h', 'm', 's', 'ms'] as const

/** Milliseconds of a duration such as `720h`, `1h30m` or `250ms`. */
export function parseDuration(text: string): number {
  const parts = SHAPE.exec(text)
  if (text === '' || !parts) {
    throw new RangeError(`not a duration: "${text}"; write it like 720h, 1h30m, 45s or 250ms`)
  }
  return UNITS.reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0)
}

/** The shortest text that `parseDuration` reads back to the same number. */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError(`a duration is a whole number of milliseconds from 0 on, not ${ms}`)
  }
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const [i, unit] of UNITS.entries()) {
    const count = Math.floor(rest / unit)
    rest -= count * unit
    if (count > 0) text += `${count}${SUFFIXES[i] ?? ''}`
  }
  return text
}
