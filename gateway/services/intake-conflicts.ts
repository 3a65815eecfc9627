import type { AuditSubject } from '#api/audit-event'
import type { IngestEntry } from '#api/rest/audit-ingest'
import { LocalLimiter } from '../limits/local-limiter.ts'
import type { LimitPolicy } from '../limits/policy.ts'
import type { AuditRow, IntakeStore, ReportedStep } from '../ports/audit-records.ts'
import type { Workload } from '../ports/callers.ts'
import type { AuditWriter, Origin } from './audit.ts'

/** A step told with other content than is recorded. */
export interface Conflict {
  readonly entry: IngestEntry
  readonly subject: AuditSubject
  readonly digest: Buffer
}

export interface IntakeConflictsDeps {
  readonly store: IntakeStore
  readonly audit: AuditWriter
  readonly committed: (row: AuditRow) => void
  /** Of a conflict that was too many to have a record of its own. */
  readonly onSurplus: (account: string) => void
  readonly nowMicros?: () => number
}

/** Records of one account in one minute, of this replica. */
const ROWS: LimitPolicy = {
  name: 'intake-conflicts',
  limit: 30,
  periodMs: 60_000,
  withoutRedis: 'local',
}
/** How many that are recorded this process knows without asking. */
const REMEMBERED = 10_000

/** The digest is a part of it: the same content is recorded once, and another one is another conflict. */
export const conflictKey = (digest: Uint8Array): string =>
  `audit.intake-conflict/${Buffer.from(digest).toString('hex')}`

/**
 * Makes a record of each conflict, in a transaction of its own, since of the batch nothing was kept. Nobody drops a
 * refused entry by itself, so it is told again and again: its record has a key as every step has.
 */
export class IntakeConflicts {
  readonly #deps: IntakeConflictsDeps
  readonly #rows: LocalLimiter
  readonly #recorded = new Set<string>()

  constructor(deps: IntakeConflictsDeps) {
    this.#deps = deps
    this.#rows = new LocalLimiter(deps.nowMicros)
  }

  async record(who: Workload, origin: Origin, conflicts: readonly Conflict[]): Promise<void> {
    const steps = conflicts
      .filter(({ digest }) => !this.#recorded.has(conflictKey(digest)))
      .filter(() => this.#hasRoom(who.id))
      .map((conflict) => this.#step(who, origin, conflict))
    if (steps.length === 0) return
    const outcome = await this.#deps.store.ingestAudit(who.id, steps)
    if (outcome.kind === 'conflict') throw new Error('two conflicts with one digest')
    steps.forEach(({ type, audit }, place) => {
      if (outcome.fresh[place]) this.#deps.committed(audit)
      this.#remember(type)
    })
  }

  #hasRoom(account: string): boolean {
    const { allowed } = this.#rows.take(ROWS, account)
    if (!allowed) this.#deps.onSurplus(account)
    return allowed
  }

  #step(who: Workload, origin: Origin, { entry, subject, digest }: Conflict): ReportedStep {
    const { resource, rotationId, seq, type, at } = entry
    const audit = this.#deps.audit.ofWorkload(who, origin, {
      eventType: 'audit.intake-conflict',
      outcome: 'refused',
      code: 'ERR_AUDIT_CONFLICT',
      subject,
      details: {
        entryRotation: rotationId,
        entrySeq: seq,
        type,
        at,
        digest: digest.toString('hex'),
      },
    })
    return { resource: resource.uid, rotationId, seq, type: conflictKey(digest), digest, audit }
  }

  #remember(key: string): void {
    this.#recorded.add(key)
    if (this.#recorded.size <= REMEMBERED) return
    const oldest = this.#recorded.keys().next()
    if (!oldest.done) this.#recorded.delete(oldest.value)
  }
}
