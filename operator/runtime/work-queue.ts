import { DelayHeap } from './delay-heap.ts'

export type Priority = 'urgent' | 'normal' | 'routine'

export interface QueueOptions {
  readonly now?: () => number
  readonly baseMs?: number
  readonly capMs?: number
  /** How long it takes a waiting key to rise by one priority, so that routine work is late and never starved. */
  readonly ageingMs?: number
}

interface Waiting {
  readonly key: string
  readonly priority: Priority
  readonly since: number
}

const RANK: Readonly<Record<Priority, number>> = { urgent: 0, normal: 1, routine: 2 }

/**
 * Keys to be worked on. A key waits at most once and is worked on by at most one worker; one that is added
 * while it is being worked on comes round again afterwards.
 */
export class WorkQueue {
  readonly #waiting = new Map<string, Waiting>()
  readonly #processing = new Set<string>()
  readonly #again = new Map<string, Priority>()
  readonly #delayed = new DelayHeap<string>()
  readonly #dueAt = new Map<string, number>()
  readonly #failures = new Map<string, number>()
  readonly #takers: (() => void)[] = []
  readonly #options: Required<QueueOptions>
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: QueueOptions = {}) {
    const defaults = { now: Date.now, baseMs: 1_000, capMs: 420_000, ageingMs: 5_000 }
    this.#options = { ...defaults, ...options }
  }

  get depth(): number {
    return this.#waiting.size
  }

  get delayed(): number {
    return this.#dueAt.size
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  add(key: string, priority: Priority = 'normal'): void {
    if (this.#closed) return
    this.#dueAt.delete(key)
    if (this.#processing.has(key)) {
      this.#again.set(key, moreUrgent(this.#again.get(key), priority))
      return
    }
    const known = this.#waiting.get(key)
    const since = known?.since ?? this.#options.now()
    this.#waiting.set(key, { key, priority: moreUrgent(known?.priority, priority), since })
    this.#takers.shift()?.()
  }

  /** The earliest wish wins; an `add` overtakes it. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    const at = this.#options.now() + delayMs
    if ((this.#dueAt.get(key) ?? Infinity) <= at) return
    this.#dueAt.set(key, at)
    this.#delayed.push(key, at)
    this.#arm()
  }

  /** After a failure: 1 s, 2 s, 4 s ... 7 min for this key alone. Returns the wait. */
  addWithBackoff(key: string): number {
    const failures = this.failuresOf(key)
    this.#failures.set(key, failures + 1)
    const wait = Math.min(this.#options.capMs, this.#options.baseMs * 2 ** Math.min(failures, 30))
    this.addAfter(key, wait)
    return wait
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key, or undefined once the queue is closed. */
  async take(): Promise<string | undefined> {
    for (;;) {
      if (this.#closed) return undefined
      const next = this.#mostUrgent()
      if (next) {
        this.#waiting.delete(next.key)
        this.#processing.add(next.key)
        return next.key
      }
      await new Promise<void>((resolve) => this.#takers.push(resolve))
    }
  }

  done(key: string): void {
    this.#processing.delete(key)
    const again = this.#again.get(key)
    if (again === undefined) return
    this.#again.delete(key)
    this.add(key, again)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const wake of this.#takers.splice(0)) wake()
  }

  #mostUrgent(): Waiting | undefined {
    const { now, ageingMs } = this.#options
    const at = now()
    let best: Waiting | undefined
    let bestRank = Infinity
    for (const entry of this.#waiting.values()) {
      const rank = RANK[entry.priority] - (at - entry.since) / ageingMs
      if (rank < bestRank) {
        best = entry
        bestRank = rank
      }
    }
    return best
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const nextAt = this.#delayed.nextAt
    if (nextAt === undefined || this.#closed) return
    const wait = Math.min(Math.max(0, nextAt - this.#options.now()), 2 ** 31 - 1)
    this.#timer = setTimeout(() => this.#release(), wait)
  }

  #release(): void {
    for (const { value: key, at } of this.#delayed.due(this.#options.now())) {
      // An entry that was overtaken by an earlier wish or by an `add` is stale.
      if (this.#dueAt.get(key) === at) this.add(key)
    }
    this.#arm()
  }
}

const moreUrgent = (a: Priority | undefined, b: Priority): Priority =>
  a !== undefined && RANK[a] <= RANK[b] ? a : b
