import type { LimitDecision } from './gcra.ts'
import type { LimitPolicy } from './policy.ts'

export interface Limiter {
  /** Takes one request of `subject` from the quota of `policy`, or refuses it. */
  take(policy: LimitPolicy, subject: string): LimitDecision | Promise<LimitDecision>
  ready(): { readonly ok: boolean; readonly reason: string }
  close(): Promise<void>
}
