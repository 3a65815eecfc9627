/** Different (reason, route, source) of one minute that are kept apart; the rest is counted as "other". */
const KEYS_PER_MINUTE = 1_000
const MINUTE_MS = 60_000
/** Minutes that wait for a database that is away; what is older is added to the newest one as "other". */
const MINUTES_KEPT = 10
const OTHER = { reason: 'other', route: 'other', source: 'other' } as const

export interface Refusal {
  readonly reason: string
  readonly route: string
  /** Network of the client, /32 or /64, or the id of a principal. */
  readonly source: string
}

interface Entry extends Refusal {
  count: number
  /** How much of the count is known to be in the database. */
  flushed: number
  first: Date
  last: Date
}

/** A total of one minute, as the database should hold it. */
export interface MinuteCount extends Refusal {
  readonly minute: Date
  readonly count: number
  readonly first: Date
  readonly last: Date
}

/**
 * Refusals as numbers: a flood of bad tokens costs memory for a thousand counters a minute and one record, so it
 * cannot fill the audit log until that refuses everybody. What could not be flushed stays and is offered again.
 */
export class RefusalCounts {
  readonly #minutes = new Map<number, Map<string, Entry>>()
  /** A clock that is set back must not reopen a minute that was recorded. */
  #newest = 0

  add(refusal: Refusal, at: Date): void {
    this.#newest = Math.max(this.#newest, startOf(at))
    this.#addTo(this.#newest, refusal, { count: 1, first: at, last: at })
  }

  /** What the database does not know yet, oldest first. */
  unflushed(now: Date): readonly MinuteCount[] {
    this.#foldOlderThan(startOf(now) - MINUTES_KEPT * MINUTE_MS)
    const counts: MinuteCount[] = []
    for (const [minute, entries] of this.#minutes) {
      for (const { flushed, ...entry } of entries.values()) {
        if (entry.count > flushed) counts.push({ ...entry, minute: new Date(minute) })
      }
    }
    return counts
  }

  /** These totals are in the database; a minute that is over and wholly there leaves memory. */
  flushed(counts: readonly MinuteCount[], now: Date): void {
    for (const { minute, count, ...refusal } of counts) {
      const entry = this.#minutes.get(minute.getTime())?.get(keyOf(refusal))
      if (entry) entry.flushed = count
    }
    for (const [minute, entries] of this.#minutes) {
      const isKnown = [...entries.values()].every(({ count, flushed }) => count === flushed)
      if (isKnown && minute < Math.min(startOf(now), this.#newest)) this.#minutes.delete(minute)
    }
  }

  clear(): void {
    this.#minutes.clear()
  }

  #addTo(minute: number, refusal: Refusal, seen: Pick<Entry, 'count' | 'first' | 'last'>): void {
    const entries = this.#minutes.get(minute) ?? new Map<string, Entry>()
    this.#minutes.set(minute, entries)
    const isFull = entries.size >= KEYS_PER_MINUTE && !entries.has(keyOf(refusal))
    const labels = isFull ? OTHER : refusal
    const known = entries.get(keyOf(labels))
    if (!known) {
      const { reason, route, source } = labels
      entries.set(keyOf(labels), { reason, route, source, flushed: 0, ...seen })
      return
    }
    known.count += seen.count
    if (seen.first < known.first) known.first = seen.first
    if (seen.last > known.last) known.last = seen.last
  }

  #foldOlderThan(oldest: number): void {
    for (const [minute, entries] of this.#minutes) {
      if (minute >= oldest) continue
      this.#minutes.delete(minute)
      this.#newest = Math.max(this.#newest, oldest)
      for (const { count, flushed, first, last } of entries.values()) {
        if (count > flushed) {
          this.#addTo(this.#newest, OTHER, { count: count - flushed, first, last })
        }
      }
    }
  }
}

const startOf = (at: Date) => at.getTime() - (at.getTime() % MINUTE_MS)
const keyOf = ({ reason, route, source }: Refusal) => `${reason}|${route}|${source}`
