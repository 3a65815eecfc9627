import type { Clock } from '#core/clock'
import type { SealerMetrics } from './metrics.ts'
import type { CheckpointSink, SealerLog } from './ports.ts'

export interface PublisherDeps {
  readonly sinks: readonly CheckpointSink[]
  readonly metrics: SealerMetrics
  readonly logger: SealerLog
  readonly evidence?: Pick<SealerLog, 'info'>
  readonly clock: Clock
}

/**
 * Takes checkpoints outside. A place that does not answer delays nothing: it gets the newest one when it is back.
 * Always after the commit, so a place can never be ahead of a database that lost nothing.
 */
export class Publisher {
  readonly #deps: PublisherDeps
  readonly #everyMs: number
  #newest: string | undefined
  readonly #published = new Map<CheckpointSink, { note: string; at: number }>()

  constructor(deps: PublisherDeps, everyMs: number) {
    this.#deps = deps
    this.#everyMs = everyMs
  }

  offer(checkpoint: string): void {
    this.#newest = checkpoint
  }

  /** @returns places that remember more than was offered: the database has to be compared with them again */
  async publishDue(): Promise<readonly CheckpointSink[]> {
    const now = this.#deps.clock.now().getTime()
    const due = this.#deps.sinks.filter(
      (sink) => now - (this.#published.get(sink)?.at ?? 0) >= this.#everyMs,
    )
    return this.#publishTo(due, now)
  }

  /** At the end of a process, so that the last second is outside too. */
  async flush(): Promise<void> {
    await this.#publishTo(this.#deps.sinks, this.#deps.clock.now().getTime())
  }

  async #publishTo(sinks: readonly CheckpointSink[], now: number): Promise<CheckpointSink[]> {
    const note = this.#newest
    if (note === undefined) return []
    const due = sinks.filter((sink) => this.#published.get(sink)?.note !== note)
    const ahead = await Promise.all(due.map((sink) => this.#publish(sink, note, now)))
    return ahead.filter((sink) => sink !== undefined)
  }

  async #publish(
    sink: CheckpointSink,
    note: string,
    now: number,
  ): Promise<CheckpointSink | undefined> {
    const { metrics, logger } = this.#deps
    try {
      const replaced = await sink.publish(note)
      this.#published.set(sink, { note, at: now })
      metrics.lastCheckpoint.set({ sink: sink.name }, now / 1000)
      if (!replaced) return sink
      this.#deps.evidence?.info({ sink: sink.name, checkpoint: note }, 'Published checkpoint')
      return undefined
    } catch {
      metrics.failures.inc({ reason: 'checkpoint' })
      logger.warn({ sink: sink.name }, 'Could not write a checkpoint outside')
      return undefined
    }
  }
}
