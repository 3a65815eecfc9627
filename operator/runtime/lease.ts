import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from './api-client.ts'
import { isConflict, isNotFound } from './api-error.ts'
import type { Logger, ObjectKey, ObjectMeta } from './types.ts'

export interface LeaseOptions {
  readonly client: ApiClient
  readonly lease: ObjectKey
  readonly identity: string
  readonly log: Logger
  readonly durationMs?: number
  readonly renewDeadlineMs?: number
  readonly retryMs?: number
}

interface LeaseObject {
  readonly apiVersion: 'coordination.k8s.io/v1'
  readonly kind: 'Lease'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** Leadership only spares double work. It is not a lock: every effect outside carries a fence of its own. */
export class LeaseElection {
  readonly #options: Required<LeaseOptions>
  /** When *we* last saw the lease change: other machines' clocks are not compared with ours. */
  #seen: { version: string; at: number } | undefined

  constructor(options: LeaseOptions) {
    const defaults = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 }
    this.#options = { ...defaults, ...options }
  }

  /** Resolves as soon as this process leads; rejects only when aborted. */
  async acquire(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      try {
        if (await this.#tryToHold()) return
      } catch (error) {
        this.#options.log.warn({ err: error }, 'Could not ask for the lease; trying again')
      }
      // Up to a fifth more, so that replicas that started together do not stay in step.
      await sleep(this.#options.retryMs * (1 + 0.2 * Math.random()), undefined, { signal })
    }
  }

  /** Resolves when leadership is lost (`'lost'`) or the signal ends it (`'stopped'`). */
  async hold(signal: AbortSignal): Promise<'lost' | 'stopped'> {
    let renewedAt = performance.now()
    while (!signal.aborted) {
      await sleep(this.#options.retryMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) break
      try {
        if (!(await this.#tryToHold())) return 'lost'
        renewedAt = performance.now()
      } catch (error) {
        this.#options.log.warn({ err: error }, 'Could not renew the lease')
        if (performance.now() - renewedAt > this.#options.renewDeadlineMs) return 'lost'
      }
    }
    return 'stopped'
  }

  /** Hands over at once instead of letting the others wait for the lease to run out. */
  async release(): Promise<void> {
    const current = await this.#read()
    if (current?.spec.holderIdentity !== this.#options.identity) return
    await this.#write({
      ...current,
      spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 },
    })
  }

  async #tryToHold(): Promise<boolean> {
    const current = await this.#read()
    const now = new Date().toISOString().replace('Z', '000Z')
    const { identity, durationMs, lease } = this.#options
    const ours = current?.spec.holderIdentity === identity
    if (current && !ours && this.#isHeldByOther(current)) return false
    const next: LeaseObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: current?.metadata ?? { name: lease.name, namespace: lease.namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(durationMs / 1000),
        acquireTime: ours ? (current.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (current?.spec.leaseTransitions ?? 0) + (current && !ours ? 1 : 0),
      },
    }
    try {
      await this.#write(next)
      return true
    } catch (error) {
      // Somebody wrote in between: whoever it was, it was not this process.
      if (isConflict(error)) return false
      throw error
    }
  }

  #isHeldByOther(current: LeaseObject): boolean {
    if (!current.spec.holderIdentity) return false
    const version = current.metadata.resourceVersion ?? ''
    if (this.#seen?.version !== version) this.#seen = { version, at: performance.now() }
    const lasts = (current.spec.leaseDurationSeconds ?? 15) * 1000
    return performance.now() - this.#seen.at < lasts
  }

  async #read(): Promise<LeaseObject | undefined> {
    try {
      return await this.#options.client.call<LeaseObject>('GET', this.#path(true), this.#limits())
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #write(lease: LeaseObject): Promise<LeaseObject> {
    const exists = lease.metadata.resourceVersion !== undefined
    return this.#options.client.call(exists ? 'PUT' : 'POST', this.#path(exists), {
      body: lease,
      ...this.#limits(),
    })
  }

  #path(named: boolean): string {
    const { namespace, name } = this.#options.lease
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
    return named ? `${leases}/${name}` : leases
  }

  #limits = () => ({ timeoutMs: this.#options.renewDeadlineMs / 2 })
}
