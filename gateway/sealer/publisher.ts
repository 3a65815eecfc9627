import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { isHalt } from './halts.ts'
import type { SealerMetrics } from './metrics.ts'
import { within, type Remembered } from './places.ts'
import type { CheckpointSink, SealerLog } from './ports.ts'
import { positionOf } from './progress.ts'

export interface PublisherDeps {
  readonly sinks: readonly CheckpointSink[]
  readonly metrics: SealerMetrics
  readonly logger: SealerLog
  readonly evidence?: Pick<SealerLog, 'info'>
  readonly clock: Clock
}

interface Place {
  readonly sink: CheckpointSink
  /** The database went through what lies there. Before that nothing is written there: it might hide a cut. */
  agrees: boolean
  /** It was empty together with the log, and nothing was written there since. */
  isNew: boolean
  published: string | undefined
  /** Not asked before this, in ms. */
  restsUntil: number
  /** What goes on there now; at most one thing. */
  busy: Promise<void> | undefined
}

/** Between two attempts at a place that failed. */
const RETRY_MS = 1_000
/** For all places together at the end of a process. */
const FLUSH_MS = 8_000

/**
 * Takes checkpoints outside. Nothing waits for a place: one that hangs or is away delays neither the sealing nor the
 * other place, and it gets the newest checkpoint when it is back. Always after the commit, so a place can never be
 * ahead of a database that lost nothing.
 */
export class Publisher {
  readonly #deps: PublisherDeps
  readonly #everyMs: number
  readonly #places: readonly Place[]
  #newest: string | undefined
  #answers: Remembered[] = []
  #halt: PalisadeError | undefined

  constructor(deps: PublisherDeps, everyMs: number) {
    this.#deps = deps
    this.#everyMs = everyMs
    this.#places = deps.sinks.map((sink) => ({
      sink,
      agrees: false,
      isNew: false,
      published: undefined,
      restsUntil: 0,
      busy: undefined,
    }))
    // A counter that begins at its first event hides that event from every rate.
    for (const { name: sink } of deps.sinks) {
      deps.metrics.checkpointFailures.inc({ sink }, 0)
      deps.metrics.emptyPlace.set({ sink }, 0)
    }
  }

  offer(checkpoint: string): void {
    this.#newest = checkpoint
  }

  /** The database was compared with these and with no other place. */
  agreeWith(sinks: readonly CheckpointSink[], among = this.#deps.sinks): void {
    for (const place of this.#places.filter(({ sink }) => among.includes(sink))) {
      place.agrees = sinks.includes(place.sink)
    }
  }

  /**
   * One who may add a place leaves it empty, and so does one who emptied it. The log goes on, or no place could ever be
   * added to it, and a person is told.
   * @param isNewLog whether the log has no record either
   */
  judgeEmpty(answers: readonly Remembered[], isNewLog: boolean): void {
    const { metrics, logger } = this.#deps
    for (const { sink, note } of answers) {
      const place = this.#places.find((each) => each.sink === sink)
      if (!place || note !== undefined) continue
      place.published = undefined
      if (isNewLog) place.isNew = true
      if (place.isNew) continue
      metrics.emptyPlace.set({ sink: sink.name }, this.#now() / 1000)
      logger.warn({ sink: sink.name }, 'A place outside remembers no checkpoint of this log')
    }
  }

  /**
   * Begins what is due at each place and waits for none of it.
   * @returns what places told that the database was not compared with yet, each answer once
   * @throws ERR_AUDIT_TAMPERED when a place was found to keep another history; until somebody compares, nothing is written
   */
  publishDue(): readonly Remembered[] {
    const halt = this.#halt
    this.#halt = undefined
    if (halt) throw halt
    const now = this.#now()
    for (const place of this.#places) {
      if (place.busy === undefined && place.restsUntil <= now) this.#begin(place)
    }
    return this.#answers.splice(0)
  }

  /** At the end of a process, so that the last second is outside too. */
  async flush(): Promise<void> {
    const flushed = this.#places.map(async (place) => {
      await place.busy
      if (place.agrees) this.#begin(place)
      await place.busy
    })
    await within(FLUSH_MS, Promise.all(flushed)).catch(() => undefined)
  }

  #begin(place: Place): void {
    const note = this.#newest
    if (place.agrees && (note === undefined || note === place.published)) return
    const work = place.agrees && note !== undefined ? this.#publish(place, note) : this.#ask(place)
    place.busy = work
      .catch((error: unknown) => this.#failed(place, error))
      .finally(() => (place.busy = undefined))
  }

  async #ask(place: Place): Promise<void> {
    const note = await place.sink.newest()
    // Asked once more only when nobody compared it in the meantime.
    place.restsUntil = this.#now() + RETRY_MS
    this.#answers.push({ sink: place.sink, note })
  }

  async #publish(place: Place, note: string): Promise<void> {
    const { metrics, evidence } = this.#deps
    const sink = place.sink.name
    const replaced = await place.sink.publish(note)
    const now = this.#now()
    place.restsUntil = now + Math.max(this.#everyMs, place.sink.everyMs ?? 0)
    place.published = note
    place.isNew &&= !replaced
    metrics.lastCheckpoint.set({ sink }, now / 1000)
    if (replaced) {
      metrics.lastCheckpointSize.set({ sink }, positionOf(note).size)
      evidence?.info({ sink, checkpoint: note }, 'Published checkpoint')
      return
    }
    // Another sealer was faster, or the database lost what it had: only a look at it can tell.
    place.agrees = false
    await this.#ask(place)
  }

  #failed(place: Place, error: unknown): void {
    place.restsUntil = this.#now() + RETRY_MS
    if (isHalt(error)) {
      // One place that contradicts is enough: no other one is told this history, at the end of the process neither.
      this.#halt = error
      this.agreeWith([])
    }
    reportAway(place.sink, error, this.#deps)
  }

  #now(): number {
    return this.#deps.clock.now().getTime()
  }
}

/** A place that gave no answer is counted under its name. */
export function reportAway(
  { name: sink }: CheckpointSink,
  error: unknown,
  { metrics, logger }: Pick<PublisherDeps, 'metrics' | 'logger'>,
): void {
  metrics.checkpointFailures.inc({ sink })
  logger.warn({ sink, reason: reasonOf(error) }, 'Could not read or write a checkpoint outside')
}

/** Our own words, or the closed set of a library's codes: a stranger's message may quote what was sent. */
function reasonOf(error: unknown): string {
  if (error instanceof PalisadeError) return error.detail
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code)) return code
  return name === 'TimeoutError' ? 'no answer in time' : 'other'
}
