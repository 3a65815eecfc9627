import { setTimeout as sleep } from 'node:timers/promises'
import { fullJitter } from '#core/backoff'
import type { AuditDeliveries, AuditSink, Delivery } from '../ports.ts'
import { keyOf, type Logger, type ObjectKey } from '../runtime/types.ts'
import { entryKey, without, type AuditEntry } from './audit-outbox.ts'
import type { ClaimOwner } from './state.ts'

export interface DeliveriesOptions {
  readonly sink: AuditSink
  readonly log: Logger
  readonly now?: () => number
  readonly backoff?: { readonly baseMs: number; readonly capMs: number }
}

interface Offer {
  readonly owner: ClaimOwner
  readonly outbox: readonly AuditEntry[]
}

/** What the receiver refused for itself may be right once it is a newer one, and is not asked all the time. */
const REFUSED_MS = 600_000
/** Of one resource, oldest first; the pass that drops them offers the next. Ten thousand full outboxes do not fit here. */
const AT_ONCE = 100
const BACKOFF = { baseMs: 1_000, capMs: 60_000 }

/**
 * Tells outboxes one after another, beside the passes: a receiver that is slow or away costs a rotation nothing, and
 * one connection is all the load it gets when it comes back. What was taken is remembered until a pass drops it.
 */
export class OutboxDeliveries implements AuditDeliveries {
  readonly #options: Required<DeliveriesOptions>
  readonly #offers = new Map<string, Offer>()
  readonly #taken = new Map<string, Set<string>>()
  /** By resource: until when each refused entry rests. */
  readonly #refused = new Map<string, Map<string, number>>()
  readonly #stopped = new AbortController()
  #pumping = false
  #failures = 0
  #wake: (key: ObjectKey) => void = () => undefined

  constructor(options: DeliveriesOptions) {
    this.#options = { now: () => performance.now(), backoff: BACKOFF, ...options }
  }

  onTaken(wake: (key: ObjectKey) => void): void {
    this.#wake = wake
  }

  offer(owner: ClaimOwner, outbox: readonly AuditEntry[]): void {
    const key = keyOf(owner)
    const left = this.#worthTelling(key, outbox).slice(0, AT_ONCE)
    if (left.length === 0) {
      this.#offers.delete(key)
      return
    }
    this.#offers.set(key, { owner, outbox: left })
    if (!this.#pumping) void this.#pump()
  }

  taken(key: ObjectKey): ReadonlySet<string> {
    return this.#taken.get(keyOf(key)) ?? new Set()
  }

  dropped(key: ObjectKey): void {
    this.#taken.delete(keyOf(key))
  }

  stop(): void {
    this.#stopped.abort()
  }

  #worthTelling(key: string, outbox: readonly AuditEntry[]): readonly AuditEntry[] {
    return without(without(outbox, this.#taken.get(key) ?? new Set()), this.#resting(key))
  }

  #resting(key: string): ReadonlySet<string> {
    const refused = this.#refused.get(key) ?? new Map<string, number>()
    for (const [entry, until] of refused) if (until <= this.#options.now()) refused.delete(entry)
    if (refused.size === 0) this.#refused.delete(key)
    return new Set(refused.keys())
  }

  /** One after another, so at most one at a time for each resource. What is offered meanwhile comes at the end. */
  async #pump(): Promise<void> {
    this.#pumping = true
    const { signal } = this.#stopped
    for (const [key, offer] of this.#offers) {
      if (signal.aborted) break
      this.#offers.delete(key)
      const delivery = await this.#options.sink
        .tell(offer.owner, this.#worthTelling(key, offer.outbox), signal)
        .catch((failure: unknown): Delivery => ({ taken: [], refused: [], failure }))
      this.#remember(offer.owner, delivery)
      if (delivery.failure === undefined) this.#failures = 0
      else await this.#waitAfter(delivery.failure, key, offer)
    }
    this.#pumping = false
  }

  #remember(owner: ClaimOwner, { taken, refused }: Delivery): void {
    const key = keyOf(owner)
    if (refused.length > 0) {
      const { log, now } = this.#options
      const entries = refused.map(entryKey)
      const resting = this.#refused.get(key) ?? new Map<string, number>()
      for (const entry of entries) resting.set(entry, now() + REFUSED_MS)
      this.#refused.set(key, resting)
      log.error({ rotation: key, entries }, 'The gateway refuses audit entries')
    }
    if (taken.length === 0) return
    const known = this.#taken.get(key) ?? new Set()
    for (const entry of taken) known.add(entryKey(entry))
    this.#taken.set(key, known)
    this.#wake(owner)
  }

  /** The receiver is one for all, so that all wait; the offer goes to the end, behind whoever came meanwhile. */
  async #waitAfter(failure: unknown, key: string, offer: Offer): Promise<void> {
    if (!this.#offers.has(key)) this.#offers.set(key, offer)
    const { log, backoff } = this.#options
    const waitMs = backoff.baseMs / 2 + fullJitter(this.#failures++, backoff)
    log.warn({ err: failure, rotation: key, waitMs }, 'Could not deliver audit entries')
    await sleep(waitMs, undefined, { signal: this.#stopped.signal, ref: false }).catch(
      () => undefined,
    )
  }
}
