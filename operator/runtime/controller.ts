import type { Logger } from './types.ts'
import { WorkQueue, type QueueOptions } from './work-queue.ts'

/** What a pass asks for: nothing until something changes, another pass at once, or one after a while. */
export type Next =
  | { readonly kind: 'rest' }
  | { readonly kind: 'again' }
  | { readonly kind: 'after'; readonly ms: number }

export const REST: Next = { kind: 'rest' }
export const AGAIN: Next = { kind: 'again' }
export const after = (ms: number): Next => ({ kind: 'after', ms })

export interface ControllerMetrics {
  reconciled(
    controller: string,
    result: 'success' | 'requeue' | 'requeue_after' | 'error',
    seconds: number,
  ): void
  depth(name: string, depth: number): void
  retried(name: string): void
}

export interface ControllerOptions {
  readonly name: string
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Next>
  readonly concurrency: number
  /** A pass that takes longer is aborted and counts as failed. */
  readonly deadlineMs: number
  readonly log: Logger
  readonly metrics?: ControllerMetrics
  readonly queue?: QueueOptions
}

/** Workers over a queue. A pass that throws is logged, counted and tried again later, for its key alone. */
export class Controller {
  readonly queue: WorkQueue
  readonly #options: ControllerOptions

  constructor(options: ControllerOptions) {
    this.#options = options
    this.queue = new WorkQueue(options.queue)
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.queue.close(), { once: true })
    if (signal.aborted) this.queue.close()
    const workers = Array.from({ length: this.#options.concurrency }, () => this.#work(signal))
    await Promise.all(workers)
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.take()
      if (key === undefined) return
      this.#options.metrics?.depth(this.#options.name, this.queue.depth)
      try {
        await this.#pass(key, signal)
      } finally {
        this.queue.done(key)
      }
    }
  }

  async #pass(key: string, signal: AbortSignal): Promise<void> {
    const { name, reconcile, deadlineMs, log, metrics } = this.#options
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
      const next = await reconcile(key, limited)
      this.queue.forget(key)
      switch (next.kind) {
        case 'rest':
          metrics?.reconciled(name, 'success', seconds())
          return
        case 'again':
          metrics?.reconciled(name, 'requeue', seconds())
          this.queue.add(key)
          return
        case 'after':
          metrics?.reconciled(name, 'requeue_after', seconds())
          this.queue.addAfter(key, next.ms)
          return
      }
    } catch (error) {
      if (signal.aborted) return
      const waitMs = this.queue.addWithBackoff(key)
      metrics?.reconciled(name, 'error', seconds())
      metrics?.retried(name)
      log.error({ err: error, key, waitMs }, 'Pass failed; trying again')
    }
  }
}
