import { setTimeout as sleep } from 'node:timers/promises'
import { fullJitter } from '#core/backoff'
import type { ApiClient } from './api-client.ts'
import { ApiError, isExpired, refusesStreamingList } from './api-error.ts'
import { listInPages } from './listing.ts'
import { ObjectStore, type Change } from './object-store.ts'
import type { KubeObject, Logger } from './types.ts'
import { IdleWatchError, watchEvents } from './watch-stream.ts'

export interface ReflectorMetrics {
  restarts(resource: string, cause: 'expired' | 'idle' | 'error'): void
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: ApiClient
  readonly path: string
  readonly labelSelector?: string
  readonly onChange: (change: Change<T>) => void
  readonly log: Logger
  readonly metrics?: ReflectorMetrics
  readonly random?: () => number
  /** Shorter than a minute, so that a half-open link is noticed within one even between bookmarks. */
  readonly idleMs?: number
  readonly backoff?: { readonly baseMs: number; readonly capMs: number }
}

const BACKOFF = { baseMs: 800, capMs: 30_000 }
const HASTY_MS = 1_000
const LIVED_MS = 30_000
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** Keeps a local copy of one resource and never gives up: every failure ends in a list or a watch anew. */
export class Reflector<T extends KubeObject> {
  readonly store = new ObjectStore<T>()
  readonly #options: ReflectorOptions<T>
  readonly #random: () => number
  readonly #synced = Promise.withResolvers<void>()
  #streamingLists = true
  #failures = 0
  /** When the running watch began; none runs before the first and after a failed one. */
  #openedAt = Infinity

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#random = options.random ?? Math.random
  }

  /** Resolves when the first complete list is in the store. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  async run(signal: AbortSignal): Promise<void> {
    let version: string | undefined
    while (!signal.aborted) {
      try {
        version = version === undefined ? await this.#list(signal) : version
        for await (const seen of this.#watch(version, signal)) version = seen
      } catch (error) {
        if (signal.aborted) return
        if (isExpired(error)) version = undefined
        await this.#pause(error, signal)
      }
    }
  }

  /** A streaming list where the server can; otherwise pages. Returns the version to watch from. */
  async #list(signal: AbortSignal): Promise<string> {
    if (this.#streamingLists) {
      try {
        return await this.#listAsStream(signal)
      } catch (error) {
        if (!refusesStreamingList(error)) throw error
        this.#streamingLists = false
      }
    }
    const { client, path, labelSelector } = this.#options
    const listed = await listInPages<T>(client, path, { labelSelector, signal })
    this.#replace(listed.items)
    return listed.resourceVersion
  }

  async #listAsStream(signal: AbortSignal): Promise<string> {
    const items = new Map<string, T>()
    const query = {
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      timeoutSeconds: 60,
    }
    for await (const event of this.#open(query, signal)) {
      const object = event.object as T
      if (event.type !== 'BOOKMARK') {
        const key = `${object.metadata.namespace}/${object.metadata.name}`
        if (event.type === 'DELETED') items.delete(key)
        else items.set(key, withoutManagedFields(object))
        continue
      }
      if (object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') continue
      this.#replace([...items.values()])
      return object.metadata.resourceVersion ?? ''
    }
    throw new Error('the stream ended before the initial list was complete')
  }

  async *#watch(from: string, signal: AbortSignal): AsyncGenerator<string> {
    // A random limit per watch, so that a thousand watches do not come back in the same second.
    const timeoutSeconds = Math.round(300 + 300 * this.#random())
    this.#openedAt = performance.now()
    let events = 0
    for await (const event of this.#open({ resourceVersion: from, timeoutSeconds }, signal)) {
      this.#failures = 0
      events += 1
      const object = event.object as T
      if (event.type === 'DELETED') this.#emit(this.store.remove(object))
      else if (event.type !== 'BOOKMARK') this.#emit(this.store.put(withoutManagedFields(object)))
      if (object.metadata.resourceVersion) yield object.metadata.resourceVersion
    }
    // Going straight back to a server that hangs up at once would be a request storm.
    if (events === 0 && performance.now() - this.#openedAt < HASTY_MS) {
      throw new Error('the server closed the watch as soon as it was open')
    }
  }

  #open(query: Record<string, string | number | boolean>, signal: AbortSignal) {
    const { client, path, labelSelector, idleMs = 55_000 } = this.#options
    const selected = labelSelector === undefined ? query : { ...query, labelSelector }
    return watchEvents({
      client,
      path,
      query: selected,
      idleMs,
      signal,
    })
  }

  #replace(items: readonly T[]): void {
    for (const change of this.store.replace(items.map(withoutManagedFields))) this.#emit(change)
    this.#failures = 0
    this.#synced.resolve()
  }

  #emit(change: Change<T> | undefined): void {
    if (!change) return
    try {
      this.#options.onChange(change)
    } catch (error) {
      // A listener's mistake must not cost the other objects their events.
      this.#options.log.error({ err: error, path: this.#options.path }, 'A listener failed')
    }
  }

  async #pause(error: unknown, signal: AbortSignal): Promise<void> {
    const { log, metrics, path, backoff = BACKOFF } = this.#options
    const idle = error instanceof IdleWatchError
    metrics?.restarts(path, isExpired(error) ? 'expired' : idle ? 'idle' : 'error')
    if (idle) {
      // Ordinary for a quiet resource, whose bookmarks come once a minute, and the cure for a half-open link.
      // Waiting here would only make us deaf for longer.
      log.debug({ path }, 'Nothing came; asking anew')
      return
    }
    // A watch that lived has shown that the server is well again, whether or not there was news.
    if (performance.now() - this.#openedAt > LIVED_MS) this.#failures = 0
    this.#openedAt = Infinity
    this.#failures += 1
    const asked = error instanceof ApiError ? error.retryAfterMs : undefined
    const wait = (asked ?? 0) + fullJitter(this.#failures - 1, backoff, this.#random)
    log.warn({ err: error, path, waitMs: Math.round(wait) }, 'Watch ended; starting again')
    await sleep(wait, undefined, { signal }).catch(() => undefined)
  }
}

/** Half of an object's size, written by every applier and read by none of us. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _dropped, ...metadata } = object.metadata as T['metadata'] & {
    managedFields?: unknown
  }
  return { ...object, metadata }
}
