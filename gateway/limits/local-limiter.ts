import { gcra, type LimitDecision } from './gcra.ts'
import type { Limiter } from './limiter.ts'
import type { LimitPolicy } from './policy.ts'

/** Keys that one process remembers; beyond it the oldest is forgotten, which costs memory of a quiet client only. */
const CAPACITY = 100_000

/** Counts in this process alone: embedded mode, and each replica while Redis cannot be asked. */
export class LocalLimiter implements Limiter {
  readonly #arrivals = new Map<string, number>()
  readonly #nowMicros: () => number
  readonly #capacity: number

  /** @param nowMicros a clock that never goes backwards: a limit must not reopen when somebody sets the time */
  constructor(nowMicros = () => Math.floor(performance.now() * 1000), capacity = CAPACITY) {
    this.#nowMicros = nowMicros
    this.#capacity = capacity
  }

  /** @param cost how many of the quota this is: several are taken together or not at all */
  take(policy: LimitPolicy, subject: string, cost = 1): LimitDecision {
    const key = `${policy.name}:${subject}`
    const { decision, arrival } = gcra(policy, this.#arrivals.get(key), this.#nowMicros(), cost)
    if (decision.allowed) {
      // Set anew, so that the order of the map is the order of last use.
      this.#arrivals.delete(key)
      this.#arrivals.set(key, arrival)
      this.#forgetOldest()
    }
    return decision
  }

  ready() {
    return { ok: true, reason: 'counts in this process' }
  }

  async close(): Promise<void> {}

  #forgetOldest(): void {
    if (this.#arrivals.size <= this.#capacity) return
    const oldest = this.#arrivals.keys().next()
    if (!oldest.done) this.#arrivals.delete(oldest.value)
  }
}
