import type { AuditRow } from './audit-records.ts'

export type RefusalKind = 'unauthenticated' | 'surplus'

/** Total of one (reason, route, source) in one minute. */
export interface CountedRefusal {
  readonly kind: RefusalKind
  readonly minute: Date
  readonly reason: string
  readonly route: string
  /** Keyed digest of a network or a principal. */
  readonly source: Uint8Array
  readonly count: number
  readonly first: Date
  readonly last: Date
}

/** A minute of one writer that has no record yet. */
export interface RefusalTotals {
  readonly writer: string
  readonly minute: Date
  readonly kind: RefusalKind
  readonly total: number
  readonly kinds: number
  readonly sources: number
  readonly first: Date
  readonly last: Date
  readonly mostReason: string
  readonly mostRoute: string
  readonly mostCount: number
}

/** Refusals that are numbers. A writer is one life of one process. */
export interface RefusalStore {
  /** Totals replace what the writer said before of the same minute, so a call may be repeated. */
  countRefusals(writer: string, counts: readonly CountedRefusal[]): Promise<void>
  unrecordedRefusals(
    writer: string,
    ownBefore: Date,
    othersBefore: Date,
  ): Promise<readonly RefusalTotals[]>
  /** @returns false when the totals are others by now or have their record: nothing was written */
  recordRefusals(totals: RefusalTotals, row: AuditRow): Promise<boolean>
}
