import { createHash } from 'node:crypto'
import type { AccessClaims } from './access-claims.ts'

const digestOf = (token: string) => createHash('sha256').update(token).digest('base64')

/**
 * Remembers only what cannot change: this signature is good and these are the claims. Expiry, key and everything
 * revocable are looked at again on each use. The key is the digest of the whole token: a cache keyed by a part
 * of it (or by claims) answers for a token that was never verified.
 */
export class VerifiedTokens {
  readonly #entries = new Map<string, AccessClaims>()
  readonly #capacity: number

  constructor(capacity = 10_000) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  find(token: string): AccessClaims | undefined {
    return this.#entries.get(digestOf(token))
  }

  remember(token: string, verified: AccessClaims): void {
    if (this.#entries.size >= this.#capacity) {
      // Oldest first: tokens live 15 minutes, so the oldest is also the next to end.
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    this.#entries.set(digestOf(token), verified)
  }

  forget(token: string): void {
    this.#entries.delete(digestOf(token))
  }
}
