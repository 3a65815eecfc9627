import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { fullJitter } from '#core/backoff'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { isCancelledWait, outcomeUnknown } from '../store/outcome.ts'
import { isHalt } from './halts.ts'
import type { SealerMetrics } from './metrics.ts'
import type { OwnRecords } from './own-records.ts'
import { assertNotBehind, BehindCheckpoint } from './outside.ts'
import { askPlaces, assertConfirmed, type Asked } from './places.ts'
import { purge } from './purge.ts'
import { Publisher, reportAway } from './publisher.ts'
import type { CheckpointSigner, CheckpointSink, SealerLog } from './ports.ts'
import { Recovery } from './recovery.ts'
import { readRetention } from './retention.ts'
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
  readonly #publisher: Publisher
  #halted: string | undefined
  #lastSuccess = 0
  #lastPurge = 0
  #signers: readonly CheckpointSigner[]
  #lastKeys = 0
  /** The newest checkpoint that is known to be in the log for good: compared, or sealed and confirmed. */
  #known: string | undefined

  constructor(deps: SealerDeps) {
    this.#deps = deps
    this.#signers = deps.signers
    this.#timing = { ...TIMING, ...deps.timing }
    this.#publisher = new Publisher(deps, this.#timing.publishEveryMs)
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
    const { log, metrics, records } = this.#deps
    const client = new pg.Client({
      application_name: 'palisade-sealer',
      connectionTimeoutMillis: 5_000,
      query_timeout: 15_000,
      // A sealer that is stopped in the middle of a batch gives the lock back to the one that can go on.
      idle_in_transaction_session_timeout: 20_000,
      ...(await this.#deps.database()),
    })
    client.on('error', () => undefined)
    const wait = watchWait(client)
    await client.connect()
    try {
      // What an earlier connection committed may be on this server alone; behind this commit it is on the standby, too.
      await client.query("select pg_logical_emit_message(true, 'palisade', 'head')")
      wait.assertConfirmed()
      // Whatever keeps it from sealing from here on, how long records wait is told with each attempt.
      await this.#measure(client)
      this.#lastKeys = 0
      await this.#lookForKeys()
      await this.#compareAll(client)
      this.#halted = undefined
      metrics.halted.set(0)
      while (!signal.aborted) {
        await this.#lookForKeys()
        const signers = this.#signers
        const options = { log, signers, limit: this.#timing.batch, ...(records ? { records } : {}) }
        const sealed = await sealBatch(client, { ...options, after: this.#known })
        wait.assertConfirmed()
        if (sealed) {
          metrics.sealed.inc(sealed.count)
          metrics.wait.observe(sealed.oldestWaitSeconds)
          this.#known = sealed.checkpoint
          this.#publisher.offer(sealed.checkpoint)
        }
        await this.#measure(client)
        this.#lastSuccess = this.#deps.clock.now().getTime()
        succeeded()
        const answers = this.#publisher.publishDue()
        if (answers.length > 0) await this.#compare(client, { answers, silent: [] })
        await this.#purge(client)
        if (!sealed || sealed.count < this.#timing.batch) {
          await pause(this.#timing.idleMs, undefined, { signal }).catch(() => undefined)
        }
      }
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /**
   * With one place away the other is enough, if it remembers anything; the missing one is compared when it is back. What
   * this database was once found to be behind counts like a place, as does what this process itself has sealed: places
   * that are silent now, or have not heard of it yet, change nothing.
   */
  async #compareAll(client: pg.Client): Promise<void> {
    const asked = await askPlaces(this.#deps.sinks)
    this.#publisher.agreeWith([])
    for (const { sink, cause } of asked.silent) reportAway(sink, cause, this.#deps)
    const recovery = new Recovery(client, this.#deps, this.#signers)
    const remembered = [
      ...(await recovery.remembered()),
      { name: 'this sealer', newest: async () => this.#known },
    ]
    let newest: string | null
    try {
      newest = await this.#compare(client, asked, remembered)
    } catch (error) {
      // Two people give up what they know of: a place that is silent may remember more.
      const isKnown = asked.silent.length === 0
      if (!(error instanceof BehindCheckpoint) || !(await recovery.open(error.gap, isKnown))) {
        throw error
      }
      newest = await this.#compare(client, asked, remembered)
    }
    this.#known = newest ?? undefined
    await recovery.done()
  }

  async #compare(
    client: pg.Client,
    asked: Asked,
    remembered: readonly Pick<CheckpointSink, 'name' | 'newest'>[] = [],
  ): Promise<string | null> {
    const { answers } = asked
    const told = answers.map(({ sink, note }) => ({ name: sink.name, newest: async () => note }))
    const newest = await assertNotBehind(client, [...told, ...remembered], this.#signers)
    assertConfirmed(asked)
    const sinks = answers.map(({ sink }) => sink)
    this.#publisher.agreeWith(sinks, sinks)
    this.#publisher.judgeEmpty(answers, newest === null)
    if (newest !== null) this.#publisher.offer(newest)
    return newest
  }

  /** Without an answer the key at hand goes on: Vault keeps its earlier versions. */
  async #lookForKeys(): Promise<void> {
    const now = this.#deps.clock.now().getTime()
    if (!this.#deps.readSigners || now - this.#lastKeys < this.#timing.keysEveryMs) return
    this.#lastKeys = now
    try {
      this.#signers = await this.#deps.readSigners()
    } catch {
      this.#deps.logger.warn({}, 'Could not look for a newer key of checkpoints')
    }
  }

  /** Sealing comes first: rows that cannot be taken away are no reason to leave records unsealed. */
  async #purge(client: pg.Client): Promise<void> {
    const now = this.#deps.clock.now().getTime()
    if (now - this.#lastPurge < this.#timing.purgeEveryMs) return
    const { metrics, logger } = this.#deps
    this.#lastPurge = now
    try {
      const { idempotencyKeys, refusalCounters, isMore } = await purge(client)
      metrics.purged.inc({ table: 'idempotency_keys' }, idempotencyKeys)
      metrics.purged.inc({ table: 'audit_counters' }, refusalCounters)
      if (isMore) this.#lastPurge = 0
      metrics.showRetention(await readRetention(client))
    } catch (error) {
      metrics.purgeFailures.inc()
      logger.warn({ reason: sqlState(error) }, 'Could not take old rows away; trying again')
    }
  }

  async #measure(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ rows: string; age: number }>(
      `select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float8 as age
       from palisade.audit_pending`,
    )
    const [{ rows: unsealed, age } = { rows: '0', age: 0 }] = rows
    this.#deps.metrics.unsealed.set(Number(unsealed))
    this.#deps.metrics.lag.set(Math.max(0, age))
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

/**
 * A batch whose wait for the standby was cancelled may be lost with this server. Its checkpoint must not go outside
 * before: the place would be ahead of the database that takes over, and halt the log.
 */
function watchWait(client: pg.Client): { assertConfirmed(): void } {
  let cancelled = false
  client.on('notice', (notice) => (cancelled ||= isCancelledWait(notice)))
  return {
    assertConfirmed() {
      if (cancelled) throw outcomeUnknown()
    },
  }
}

/** A closed set of words for a metric label: SQLSTATE, the driver's code, or that it is neither. */
function sqlState(error: unknown): string {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^[A-Z0-9_]{5,20}$/.test(code) ? code : 'other'
}
