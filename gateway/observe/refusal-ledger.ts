import { createHmac, randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '#core/clock'
import { redact } from '#core/redact'
import type { AuditRow } from '../ports/audit-records.ts'
import type { RefusalKind, RefusalStore, RefusalTotals } from '../ports/refusals.ts'
import type { AuditWriter } from '../services/audit.ts'
import type { MacKey } from '../services/secret-heads.ts'
import { RefusalCounts, type Refusal } from './refusal-counts.ts'

export interface RefusalLedgerDeps {
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly audit: AuditWriter
  readonly store: RefusalStore
  /** Keys the digests of sources: a plain digest of an address could be guessed by whoever reads the table. */
  readonly key: MacKey
  readonly writer: string
  readonly committed: (row: AuditRow) => void
  readonly onFailure: () => void
}

const KINDS = ['unauthenticated', 'surplus'] as const satisfies readonly RefusalKind[]
const MINUTE_MS = 60_000
/** Longer than a living writer keeps a minute that it could not write: whose minutes are older, is gone. */
const ORPHANED_AFTER_MS = 15 * MINUTE_MS

/** Counted refusals on their way: memory, a table each second, one record a minute. */
export class RefusalLedger {
  readonly #deps: RefusalLedgerDeps
  readonly #counts = { unauthenticated: new RefusalCounts(), surplus: new RefusalCounts() }
  #life = newLife()
  #recordedBefore = 0
  #running: Promise<void> | undefined
  #isFailing = false

  constructor(deps: RefusalLedgerDeps) {
    this.#deps = deps
  }

  add(kind: RefusalKind, refusal: Refusal): void {
    this.#counts[kind].add(refusal, this.#deps.clock.now())
  }

  /** Each second. Never fails: what could not be written is offered again the next time. */
  flush(): Promise<void> {
    this.#running ??= this.#try(() => this.#flush()).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** At shutdown: the minute that is under way is recorded as well. */
  async close(): Promise<void> {
    await this.#running
    await this.#try(async () => {
      await this.#write()
      const now = this.#deps.clock.now().getTime()
      await this.#record(new Date(now + MINUTE_MS), new Date(now - ORPHANED_AFTER_MS))
      // What is counted from here on belongs to no minute that has its record already.
      this.#life = newLife()
      for (const kind of KINDS) this.#counts[kind].clear()
    })
  }

  async #flush(): Promise<void> {
    await this.#write()
    const now = this.#deps.clock.now().getTime()
    const minute = now - (now % MINUTE_MS)
    if (minute <= this.#recordedBefore) return
    await this.#record(new Date(minute), new Date(now - ORPHANED_AFTER_MS))
    this.#recordedBefore = minute
  }

  async #write(): Promise<void> {
    const now = this.#deps.clock.now()
    const due = KINDS.map((kind) => ({ kind, counts: this.#counts[kind].unflushed(now) }))
    const rows = due.flatMap(({ kind, counts }) =>
      counts.map(({ source, ...rest }) => ({ ...rest, kind, source: this.#digest(kind, source) })),
    )
    if (rows.length > 0) await this.#deps.store.countRefusals(this.#writer, rows)
    for (const { kind, counts } of due) this.#counts[kind].flushed(counts, now)
  }

  async #record(ownBefore: Date, othersBefore: Date): Promise<void> {
    const { store, audit, committed } = this.#deps
    const found = await store.unrecordedRefusals(this.#writer, ownBefore, othersBefore)
    for (const totals of found) {
      const row = audit.ofPlatform({
        eventType: 'refusals.counted',
        outcome: 'refused',
        subject: { kind: 'log', id: totals.kind },
        details: detailsOf(totals),
      })
      if (await store.recordRefusals(totals, row)) committed(row)
    }
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act()
      this.#isFailing = false
    } catch (error) {
      this.#deps.onFailure()
      // Each second again: one line says it.
      if (!this.#isFailing) {
        this.#deps.log.error(
          { error: redact(error) },
          'Could not write counted refusals; they are kept',
        )
      }
      this.#isFailing = true
    }
  }

  get #writer(): string {
    return `${this.#deps.writer}/${this.#life}`
  }

  #digest(kind: RefusalKind, source: string): Buffer {
    const mac = createHmac('sha256', this.#deps.key.key.reveal())
    return mac.update(`refusal-source:${kind}:${source}`).digest()
  }
}

const newLife = () => randomBytes(6).toString('hex')

const detailsOf = (totals: RefusalTotals) => ({
  minute: totals.minute.toISOString(),
  total: totals.total,
  kinds: totals.kinds,
  sources: totals.sources,
  first: totals.first.toISOString(),
  last: totals.last.toISOString(),
  mostReason: totals.mostReason,
  mostRoute: totals.mostRoute,
  mostCount: totals.mostCount,
})
