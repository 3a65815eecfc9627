import type { FastifyBaseLogger } from 'fastify'
import { redact } from '#core/redact'
import { momentOf } from '#core/uuid'
import type { AuditRow } from '../ports/audit-records.ts'
import type { NotedReading, ReadingStore } from '../ports/noted-readings.ts'
import type { AuditWriter } from '../services/audit.ts'

export interface ReadingRecordsDeps {
  readonly log: FastifyBaseLogger
  readonly audit: AuditWriter
  readonly store: ReadingStore
  readonly committed: (row: AuditRow) => void
  readonly onFailure: () => void
}

/** Makes a record of each reading that a login of the database noted before it read the log there. */
export class ReadingRecords {
  readonly #deps: ReadingRecordsDeps
  #running: Promise<void> | undefined
  #isFailing = false

  constructor(deps: ReadingRecordsDeps) {
    this.#deps = deps
  }

  /** Each second. Never fails: a note stays until some gateway has made its record, and then gets no second one. */
  record(): Promise<void> {
    this.#running ??= this.#try().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #try(): Promise<void> {
    let isWaiting = false
    try {
      for (const reading of await this.#deps.store.unrecordedReadings()) {
        isWaiting = true
        await this.#one(reading)
      }
      this.#isFailing = false
    } catch (error) {
      // Somebody is woken by this. A database that is away for a moment has alerts of its own.
      if (isWaiting) this.#deps.onFailure()
      // Each second again: one line says it.
      if (!this.#isFailing) {
        this.#deps.log.error(
          { error: redact(error) },
          'Could not record who read the audit log in the database; the notes are kept',
        )
      }
      this.#isFailing = true
    }
  }

  async #one(reading: NotedReading): Promise<void> {
    const { audit, store, committed } = this.#deps
    const { id, login, address } = reading
    const row = await audit.ofLogin(
      { login, address, request: id },
      {
        eventType: 'audit.read',
        outcome: 'success',
        // The name that a search of every tenant's records has.
        subject: { kind: 'log', id: 'all' },
        details: detailsOf(reading),
      },
    )
    if (await store.recordReading(id, row)) committed(row)
  }
}

const detailsOf = ({ purpose, format, after, before, notedAt, openUntil }: NotedReading) => ({
  purpose,
  ...(format === null ? {} : { format }),
  ...(after === null ? {} : { from: momentOf(after).toISOString() }),
  ...(before === null ? {} : { to: momentOf(before).toISOString() }),
  at: notedAt.toISOString(),
  until: openUntil.toISOString(),
})
