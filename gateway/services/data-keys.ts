import { createHash } from 'node:crypto'
import type { Clock } from '#core/clock'
import type { KeyWrapper } from '../ports/key-wrapper.ts'

const LIFETIME_MS = 5 * 60_000
const CAPACITY = 10_000

interface Entry {
  readonly key: Buffer
  readonly until: number
}

export interface DataKeysOptions {
  readonly clock: Clock
  readonly onUnwrap?: (source: 'cache' | 'wrapper') => void
  readonly capacity?: number
}

/** Unwrapped data keys, bounded in time and number, and dropped at once for a tenant that is erased or revoked. */
export class DataKeys {
  readonly #wrapper: KeyWrapper
  readonly #options: DataKeysOptions
  readonly #entries = new Map<string, Entry>()
  readonly #ensured = new Set<string>()
  #sweep: NodeJS.Timeout | undefined

  constructor(wrapper: KeyWrapper, options: DataKeysOptions) {
    this.#wrapper = wrapper
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  async wrap(tenantId: string, plaintext: Uint8Array): Promise<string> {
    const name = keyName(tenantId)
    if (!this.#ensured.has(name)) {
      await this.#wrapper.ensureKey(name)
      this.#ensured.add(name)
    }
    return this.#wrapper.wrap(name, plaintext)
  }

  async unwrap(tenantId: string, wrapped: string): Promise<Buffer> {
    const id = entryId(tenantId, wrapped)
    const known = this.#entries.get(id)
    if (known && known.until > this.#now()) {
      this.#options.onUnwrap?.('cache')
      return known.key
    }
    this.#options.onUnwrap?.('wrapper')
    const key = Buffer.from(await this.#wrapper.unwrap(keyName(tenantId), wrapped))
    this.#entries.delete(id)
    this.#entries.set(id, { key, until: this.#now() + LIFETIME_MS })
    this.#dropOldest()
    if (!this.#sweep) this.#sweepAfter(LIFETIME_MS)
    return key
  }

  /** After erasure, revocation of the tenant, or an event of its key. */
  forgetTenant(tenantId: string): void {
    this.#ensured.delete(keyName(tenantId))
    for (const id of this.#entries.keys()) {
      if (id.startsWith(`${tenantId}:`)) this.#entries.delete(id)
    }
  }

  /** Nobody may ask for a key again, and it must not stay for that. Entries lie in the order in which they end. */
  #dropEnded(): void {
    const now = this.#now()
    this.#sweep = undefined
    for (const [id, { key, until }] of this.#entries) {
      if (until > now) return this.#sweepAfter(until - now)
      key.fill(0)
      this.#entries.delete(id)
    }
  }

  #sweepAfter(ms: number): void {
    this.#sweep = setTimeout(() => this.#dropEnded(), ms).unref()
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }

  #dropOldest(): void {
    if (this.#entries.size <= (this.#options.capacity ?? CAPACITY)) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}

const keyName = (tenantId: string) => `tenant-${tenantId}`
// The tenant is part of the id: a wrapped text copied into another tenant's row is not found here.
const entryId = (tenantId: string, wrapped: string) =>
  `${tenantId}:${createHash('sha256').update(wrapped).digest('base64')}`
