import type { Observed } from './observed.ts'
import type { Plan } from './plan.ts'

/** Undefined: this rule has nothing to say. Pure: what was read and the time are all that it knows. */
export type Rule = (seen: Observed, now: Date, timing: DecideTiming) => Plan | undefined

export interface DecideTiming {
  readonly pollMs: number
  readonly resyncMs: number
}
