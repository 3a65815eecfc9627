import type { CountedRefusal, RefusalKind, RefusalTotals } from '../ports/refusals.ts'
import { bytes } from './rows.ts'

export interface TotalsRow {
  readonly writer: string
  readonly minute: Date
  readonly kind: RefusalKind
  // bigint comes as text.
  readonly total: string
  readonly kinds: string
  readonly sources: string
  readonly first_seen: Date
  readonly last_seen: Date
  readonly most_reason: string
  readonly most_route: string
  readonly most_count: string
}

/** Columns and not rows: one statement of a fixed text takes any number of them. */
export const countColumns = (counts: readonly CountedRefusal[]) => [
  counts.map(({ kind }) => kind),
  counts.map(({ minute }) => minute.toISOString()),
  counts.map(({ reason }) => reason),
  counts.map(({ route }) => route),
  counts.map(({ source }) => bytes(source)),
  counts.map(({ count }) => count),
  counts.map(({ first }) => first.toISOString()),
  counts.map(({ last }) => last.toISOString()),
]

export const toTotals = (row: TotalsRow): RefusalTotals => ({
  writer: row.writer,
  minute: row.minute,
  kind: row.kind,
  total: Number(row.total),
  kinds: Number(row.kinds),
  sources: Number(row.sources),
  first: row.first_seen,
  last: row.last_seen,
  mostReason: row.most_reason,
  mostRoute: row.most_route,
  mostCount: Number(row.most_count),
})
