import type { LimitDecision } from './gcra.ts'
import type { LimitPolicy } from './policy.ts'

const seconds = (ms: number) => Math.ceil(ms / 1000)

const policyField = new WeakMap<LimitPolicy, string>()

/** `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers: a structured-field list, the same for each answer. */
export function rateLimitPolicyField(policy: LimitPolicy): string {
  let text = policyField.get(policy)
  if (text === undefined) {
    text = `"${policy.name}";q=${policy.limit};w=${seconds(policy.periodMs)}`
    policyField.set(policy, text)
  }
  return text
}

/** `RateLimit`: r is what is left, t the seconds until the whole quota is back. */
export const rateLimitField = (policy: LimitPolicy, { remaining, resetMs }: LimitDecision) =>
  `"${policy.name}";r=${remaining};t=${seconds(resetMs)}`

/** RFC 9110 10.2.3; at least 1, since 0 invites to come back at once. */
export const retryAfterField = ({ retryAfterMs }: LimitDecision) =>
  String(Math.max(1, seconds(retryAfterMs)))
