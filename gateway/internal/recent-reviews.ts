import { createHash } from 'node:crypto'
import type { Review } from './token-reviewer.ts'

/** The API server itself takes the token of a deleted account or Pod for good for ten seconds; this comes on top. */
const LIFE_MS = 2_000
/** Tokens that are remembered; a flood of false ones pushes out the oldest and costs a review each. */
const CAPACITY = 256

export type Source = 'cache' | 'review'

interface Remembered {
  readonly review: Promise<Review>
  readonly until: number
}

/** Asks about each token once in two seconds. What could not be asked is never an answer, and is not remembered. */
export class RecentReviews {
  readonly #review: (token: string) => Promise<Review>
  readonly #nowMs: () => number
  /** By SHA-256: this map outlives the request, and a heap dump should not hold tokens. */
  readonly #known = new Map<string, Remembered>()

  /** @param nowMs a clock that never goes backwards: nobody lives longer because somebody sets the time */
  constructor(review: (token: string) => Promise<Review>, nowMs = () => performance.now()) {
    this.#review = review
    this.#nowMs = nowMs
  }

  async of(token: string): Promise<{ readonly review: Review; readonly source: Source }> {
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#known.get(key)
    if (known && known.until > this.#nowMs()) {
      return { review: await known.review, source: 'cache' }
    }
    // From the question on, not from the answer: the answer may have been true only before.
    const asked = { review: this.#review(token), until: this.#nowMs() + LIFE_MS }
    this.#remember(key, asked)
    try {
      return { review: await asked.review, source: 'review' }
    } catch (error) {
      if (this.#known.get(key) === asked) this.#known.delete(key)
      throw error
    }
  }

  #remember(key: string, asked: Remembered): void {
    this.#known.delete(key)
    this.#known.set(key, asked)
    if (this.#known.size <= CAPACITY) return
    const oldest = this.#known.keys().next()
    if (!oldest.done) this.#known.delete(oldest.value)
  }
}
