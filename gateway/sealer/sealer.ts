import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { fullJitter } from '#core/backoff'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { showBacklog } from './backlog.ts'
import { Comparison } from './comparison.ts'
import { confirmEarlier, openConnection, sqlState, type SealerConnection } from './connection.ts'
import { CurrentSigners } from './current-signers.ts'
import { isHalt } from './halts.ts'
import { Housekeeping } from './housekeeping.ts'
import type { SealerMetrics } from './metrics.ts'
import type { OwnRecords } from './own-records.ts'
import { Publisher } from './publisher.ts'
import type { CheckpointSigner, CheckpointSink, SealerLog } from './ports.ts'
import { sealBatch } from './seal-batch.ts'

export interface SealerDeps {
  /** Asked at each connection, since the credential is rotated while the sealer runs. */
  readonly database: () => Promise<pg.ClientConfig>
  /** Names the log in its checkpoints. */
  readonly log: string
  readonly signers: readonly CheckpointSigner[]
  /** Asked at each connection and each minute: a key may have a newer version since. */
  readonly readSigners?: () => Promise<readonly CheckpointSigner[]>
  /** How the sealer makes records of its own, when an epoch is opened or a key hands over. */
  readonly records?: OwnRecords
  readonly sinks: readonly CheckpointSink[]
  readonly metrics: SealerMetrics
  readonly logger: SealerLog
  /** Where published checkpoints are printed; it leaves the machine, so a place outside that is cut has a witness. */
  readonly evidence?: Pick<SealerLog, 'info'>
  readonly clock: Clock
  readonly timing?: Partial<SealerTiming>
}

export interface SealerTiming {
  /** Between two looks at an empty queue. While there is work, the commit of a batch sets the pace. */
  readonly idleMs: number
  /** A place outside is written at most this often. */
  readonly publishEveryMs: number
  readonly batch: number
  /** Between two looks for rows whose day is over; while there are more, the next batch of records sets the pace. */
  readonly purgeEveryMs: number
  /** Between two looks for a newer version of the key. */
  readonly keysEveryMs: number
}

const TIMING: SealerTiming = {
  idleMs: 100,
  publishEveryMs: 1_000,
  batch: 2_000,
  purgeEveryMs: 60_000,
  keysEveryMs: 60_000,
}
const BACKOFF = { baseMs: 100, capMs: 5_000 }

/** Drains what is pending into the log until told to stop, and starts again by itself whatever breaks. */
export class Sealer {
  readonly #deps: SealerDeps
  readonly #timing: SealerTiming
  readonly #signers: CurrentSigners
  readonly #publisher: Publisher
  readonly #comparison: Comparison
  readonly #housekeeping: Housekeeping
  #halted: string | undefined
  #lastSuccess = 0

  constructor(deps: SealerDeps) {
    this.#deps = deps
    this.#timing = { ...TIMING, ...deps.timing }
    this.#signers = new CurrentSigners(deps, this.#timing.keysEveryMs)
    this.#publisher = new Publisher(deps, this.#timing.publishEveryMs)
    this.#comparison = new Comparison(deps, this.#publisher)
    this.#housekeeping = new Housekeeping(deps, this.#timing.purgeEveryMs)
  }

  /** Ok while it seals, or has nothing to do; the reason names what is in the way. */
  ready(): { readonly ok: boolean; readonly reason: string } {
    if (this.#halted) return { ok: false, reason: this.#halted }
    const age = this.#deps.clock.now().getTime() - this.#lastSuccess
    const ok = age < 10_000
    return { ok, reason: ok ? 'sealing' : 'the log was not reached in the last 10 s' }
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#work(signal, () => (attempt = 0))
      } catch (error) {
        this.#report(error)
        const wait = this.#halted ? BACKOFF.capMs : fullJitter(attempt, BACKOFF)
        await pause(wait, undefined, { signal }).catch(() => undefined)
      }
    }
    await this.#publisher.flush()
  }

  /** One connection's life. What is outside is compared each time, since a restore ends every connection. */
  async #work(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const connection = await openConnection(await this.#deps.database())
    const { client } = connection
    try {
      await confirmEarlier(connection)
      // Whatever keeps it from sealing from here on, how long records wait is told with each attempt.
      await showBacklog(client, this.#deps.metrics)
      await this.#signers.lookNow()
      await this.#comparison.withAll(client, this.#signers.all)
      this.#halted = undefined
      this.#deps.metrics.halted.set(0)
      while (!signal.aborted) {
        await this.#signers.look()
        const count = await this.#seal(connection)
        await showBacklog(client, this.#deps.metrics)
        this.#lastSuccess = this.#deps.clock.now().getTime()
        succeeded()
        const answers = this.#publisher.publishDue()
        if (answers.length > 0) {
          await this.#comparison.withAnswers(client, this.#signers.all, answers)
        }
        await this.#housekeeping.doDue(client)
        if (count < this.#timing.batch) {
          await pause(this.#timing.idleMs, undefined, { signal }).catch(() => undefined)
        }
      }
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** @returns how many records have their place now, none when nothing waits */
  async #seal({ client, assertConfirmed }: SealerConnection): Promise<number> {
    const { log, metrics, records } = this.#deps
    const sealed = await sealBatch(client, {
      ...{ log, signers: this.#signers.all, limit: this.#timing.batch },
      ...(records ? { records } : {}),
      after: this.#comparison.known,
    })
    assertConfirmed()
    if (!sealed) return 0
    metrics.sealed.inc(sealed.count)
    metrics.wait.observe(sealed.oldestWaitSeconds)
    this.#comparison.sealed(sealed.checkpoint)
    this.#publisher.offer(sealed.checkpoint)
    return sealed.count
  }

  #report(error: unknown): void {
    const { metrics, logger } = this.#deps
    const reason = error instanceof PalisadeError ? error.code : sqlState(error)
    metrics.failures.inc({ reason })
    if (isHalt(error)) {
      this.#halted = error.message
      metrics.halted.set(1)
      logger.error({ code: error.code, detail: error.detail }, 'Stopped sealing')
    } else {
      logger.warn({ reason }, 'Could not seal; trying again')
    }
  }
}
