import type { AuditRow } from './audit-records.ts'

/** What a login of the database noted before it read the log there. */
export interface NotedReading {
  readonly id: string
  readonly login: string
  /** null: over the server's own socket. */
  readonly address: string | null
  readonly purpose: string
  readonly format: string | null
  /** Ids, excluded; null: no bound. */
  readonly after: string | null
  readonly before: string | null
  readonly notedAt: Date
  /** Until when it may begin to read something. */
  readonly openUntil: Date
}

export interface ReadingStore {
  /** The oldest that have no record yet. */
  unrecordedReadings(): Promise<readonly NotedReading[]>
  /** @returns false when it has its record already: nothing was written */
  recordReading(id: string, row: AuditRow): Promise<boolean>
}
