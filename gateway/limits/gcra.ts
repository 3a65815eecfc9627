import type { LimitPolicy } from './policy.ts'

export interface LimitDecision {
  readonly allowed: boolean
  readonly remaining: number
  /** Until the next request would pass; 0 when this one did. */
  readonly retryAfterMs: number
  /** Until the whole quota is there again. */
  readonly resetMs: number
}

/** Rounded up, so that a rate that does not divide the period never admits one request more. */
export const intervalMicros = ({ limit, periodMs }: LimitPolicy) =>
  Math.ceil((periodMs * 1000) / limit)

/** The tolerance: exactly `limit` intervals, so that `limit` requests fit at once and one more does not. */
export const burstMicros = (policy: LimitPolicy) => intervalMicros(policy) * policy.limit

/**
 * Generic cell rate algorithm: one number per key, the theoretical arrival time (ITU-T I.371). The Lua text for
 * Redis computes the same; a test holds the two together.
 */
export function gcra(
  policy: LimitPolicy,
  arrival: number | undefined,
  nowMicros: number,
  cost = 1,
): { readonly decision: LimitDecision; readonly arrival: number } {
  const interval = intervalMicros(policy)
  const taken = interval * cost
  const burst = burstMicros(policy)
  const due = Math.max(arrival ?? 0, nowMicros)
  const ahead = due + taken - nowMicros
  if (ahead > burst) {
    const decision = {
      allowed: false,
      remaining: 0,
      retryAfterMs: Math.ceil((ahead - burst) / 1000),
      resetMs: Math.ceil((due - nowMicros) / 1000),
    }
    return { decision, arrival: due }
  }
  const decision = {
    allowed: true,
    remaining: Math.floor((burst - ahead) / interval),
    retryAfterMs: 0,
    resetMs: Math.ceil(ahead / 1000),
  }
  return { decision, arrival: due + taken }
}
