import { setTimeout as sleep } from 'node:timers/promises'

/** Refusals a second that one replica answers; at 150 to 300 µs each that is a sixteenth of its processor at most. */
const PER_SECOND = 200
/** Answered at once after a quiet second. */
const BURST = 200
/** Who would wait longer is answered at once: what is held takes memory. */
const LONGEST_MS = 5_000

export interface RefusalPaceOptions {
  /** A clock that never goes backwards, in ms. */
  readonly nowMs?: () => number
  readonly wait?: (ms: number) => Promise<void>
  readonly onHeld?: () => void
}

/**
 * Lets answers to unknown callers leave at a steady rate. Whoever sends bad tokens as fast as they are refused would
 * otherwise own the event loop, and everybody else would wait behind a signature that is checked in vain. A held
 * answer costs a timer, and the connection that waits for it sends nothing meanwhile.
 */
export class RefusalPace {
  readonly #nowMs: () => number
  readonly #wait: (ms: number) => Promise<void>
  readonly #onHeld: () => void
  /** When the last answer leaves, were there no burst. */
  #last = Number.NEGATIVE_INFINITY

  constructor({ nowMs, wait, onHeld }: RefusalPaceOptions = {}) {
    this.#nowMs = nowMs ?? (() => performance.now())
    this.#wait = wait ?? ((ms) => sleep(ms))
    this.#onHeld = onHeld ?? (() => undefined)
  }

  /** Until this refusal may be answered; undefined when it may be now. */
  turn(): Promise<void> | undefined {
    const now = this.#nowMs()
    const gap = 1_000 / PER_SECOND
    const next = Math.max(this.#last + gap, now - (BURST - 1) * gap)
    if (next - now > LONGEST_MS) return undefined
    this.#last = next
    if (next <= now) return undefined
    this.#onHeld()
    return this.#wait(next - now)
  }
}
