/** What a route does while Redis cannot be asked: count by itself with a strict share, or let everything pass. */
export type WithoutRedis = 'local' | 'open'

export interface LimitPolicy {
  /** Appears in `RateLimit-Policy` and as part of the key; a name is one bucket. */
  readonly name: string
  /** Requests per period, all of which may come at once. */
  readonly limit: number
  readonly periodMs: number
  readonly withoutRedis: WithoutRedis
}

const MINUTE = 60_000

/** Login and registration: guessing is what is limited. */
export const AUTH: LimitPolicy = {
  name: 'auth',
  limit: 5,
  periodMs: MINUTE,
  withoutRedis: 'local',
}
export const GENERAL: LimitPolicy = {
  name: 'general',
  limit: 10_000,
  periodMs: 15 * MINUTE,
  withoutRedis: 'local',
}
/** Reading of the audit log, each page of which may look at thousands of records. */
export const AUDIT: LimitPolicy = {
  name: 'audit',
  limit: 120,
  periodMs: MINUTE,
  withoutRedis: 'local',
}
/** Answers that cost nothing and that others need to find their way: keys, discovery. */
export const PUBLIC: LimitPolicy = {
  name: 'public',
  limit: 1_000,
  periodMs: MINUTE,
  withoutRedis: 'open',
}
/**
 * Per address, before anybody is known, counted by each replica alone: it bounds the work that a flood of bad
 * tokens can cause, and is wide enough for an office behind one address.
 */
export const ADDRESS: LimitPolicy = {
  name: 'address',
  limit: 60_000,
  periodMs: 15 * MINUTE,
  withoutRedis: 'local',
}
