import type { FastifyBaseLogger } from 'fastify'
import { PalisadeError } from '#core/problem'
import { redact } from '#core/redact'
import type { VolumeStore } from '../ports/volume.ts'
import type { GatewayMetrics } from './metrics.ts'
import { watermarkOf, type Watermark } from './watermark.ts'

export interface AuditVolumeDeps {
  readonly store: VolumeStore
  readonly log: FastifyBaseLogger
  readonly metrics: GatewayMetrics
  /** Room of the volume in bytes; 0 where nobody said: then nothing is ever refused for it. */
  readonly capacityBytes: number
}

/**
 * How full the volume is that holds the audit log. Asked every few seconds and not by a request, so that whoever floods
 * the gateway makes it ask no more often. While the answer cannot be had the last one holds.
 */
export class AuditVolume {
  readonly #deps: AuditVolumeDeps
  #watermark: Watermark = 'below'
  #measuring: Promise<void> | undefined
  #isFailing = false

  constructor(deps: AuditVolumeDeps) {
    this.#deps = deps
    deps.metrics.volumeCapacity.set(deps.capacityBytes)
    deps.metrics.volumeWatermark.set(0)
  }

  /** Room is short: refusals are numbers without their sources. */
  get isShort(): boolean {
    return this.#watermark !== 'below'
  }

  /** Nothing that needs a record may begin. */
  get isClosed(): boolean {
    return this.#watermark === 'closed'
  }

  /** Why nothing that needs a record may begin now; undefined while there is room. */
  obstacle(): PalisadeError | undefined {
    if (!this.isClosed) return undefined
    return new PalisadeError('ERR_AUDIT_STORAGE_FULL', 'there is no room left for audit records')
  }

  ready(): { readonly ok: boolean; readonly reason: string } {
    const problem = this.obstacle()
    return { ok: problem === undefined, reason: problem?.message ?? '' }
  }

  /** Each few seconds; a call while one is under way waits for that one. Never fails. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined))
    return this.#measuring
  }

  async #measure(): Promise<void> {
    const { store, log, metrics, capacityBytes } = this.#deps
    try {
      const { data, wal, walIsListed } = await store.volumeUse()
      metrics.volumeUsed.set({ part: 'data' }, data)
      metrics.volumeUsed.set({ part: 'wal' }, wal)
      if (capacityBytes > 0) this.#enter((data + wal) / capacityBytes)
      const keys = { data, wal, walIsListed, capacity: capacityBytes }
      if (this.#isFailing) log.info(keys, 'Measured the audit volume again')
      this.#isFailing = false
    } catch (error) {
      metrics.volumeFailures.inc()
      // Every few seconds again: one line says it.
      if (!this.#isFailing)
        log.error({ error: redact(error) }, 'Could not measure the audit volume')
      this.#isFailing = true
    }
  }

  #enter(share: number): void {
    const before = this.#watermark
    this.#watermark = watermarkOf(share, before)
    if (this.#watermark === before) return
    const { log, metrics } = this.#deps
    metrics.volumeWatermark.set({ below: 0, short: 1, closed: 2 }[this.#watermark])
    const keys = { share: Number(share.toFixed(3)), watermark: this.#watermark }
    log.warn(keys, 'The audit volume passed a watermark')
  }
}
