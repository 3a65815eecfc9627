/** Different (reason, route, source) of one minute that are kept apart; the rest is counted as "other". */
const KEYS_PER_MINUTE = 1_000

export interface RefusalCount {
  readonly reason: string
  readonly route: string
  /** Network of the client, /32 or /64. */
  readonly source: string
  count: number
  readonly first: string
  last: string
}

/**
 * Refusals before anybody is known, as numbers: a flood of bad tokens costs memory for a thousand counters and one
 * record a minute, so it cannot fill the audit log until that refuses everybody.
 */
export class RefusalCounts {
  #counts = new Map<string, RefusalCount>()

  add(
    refusal: { readonly reason: string; readonly route: string; readonly source: string },
    at: Date,
  ): void {
    const full = this.#counts.size >= KEYS_PER_MINUTE
    const exact = `${refusal.reason}|${refusal.route}|${refusal.source}`
    const key = full && !this.#counts.has(exact) ? 'other' : exact
    const known = this.#counts.get(key)
    const time = at.toISOString()
    if (known) {
      known.count++
      known.last = time
      return
    }
    const labels = key === 'other' ? { reason: 'other', route: 'other', source: 'other' } : refusal
    this.#counts.set(key, { ...labels, count: 1, first: time, last: time })
  }

  /** What was counted since the last call, largest first. */
  take(): readonly RefusalCount[] {
    const counts = [...this.#counts.values()].sort((a, b) => b.count - a.count)
    this.#counts = new Map()
    return counts
  }
}
