export interface BackoffLimits {
  /** Upper bound of the first wait. */
  readonly baseMs: number
  /** Upper bound of every wait. */
  readonly capMs: number
}

/**
 * Milliseconds to wait before retry number `attempt` (from 0): anywhere between 0 and the doubled bound, so
 * that clients that failed together do not return together.
 */
export function fullJitter(
  attempt: number,
  { baseMs, capMs }: BackoffLimits,
  random: () => number = Math.random,
): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.max(0, attempt))
  return Math.floor(random() * bound)
}
