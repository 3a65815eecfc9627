import type { AuditPlace, CutThrough } from '#api/rest/audit'
import type { Caller } from './callers.ts'

/** Which records; `after` and `before` are ids, excluded. */
export interface AuditWish {
  /** All tenants; the store refuses it to whoever is no auditor today, like a foreign `tenant`. */
  readonly everywhere: boolean
  /** null: the caller's, or all. */
  readonly tenant: string | null
  readonly actor: string | null
  /** `<kind>:<id>`. */
  readonly subject: string | null
  readonly request: string | null
  readonly eventTypes: readonly string[] | null
  readonly outcomes: readonly string[] | null
  readonly after: string
  readonly before: string
  readonly oldestFirst: boolean
  readonly page: number
  /** Records to look at, at most. */
  readonly scan: number
}

export interface FoundRow {
  readonly id: string
  readonly tenantId: string
  readonly bytes: Uint8Array
  /** null: not sealed yet. */
  readonly place: AuditPlace | null
}

export interface FoundPage {
  readonly rows: readonly FoundRow[]
  /** The last record that was looked at, when there were more to look at than `scan`. */
  readonly end: string | undefined
}

export interface AuditReach {
  /** By today's row of the caller, whatever the token says. */
  readonly isAuditor: boolean
  /** Up to where retention has taken records away; undefined while none is gone. */
  readonly cutThrough: CutThrough | undefined
}

export interface AuditReadStore {
  searchAudit(caller: Caller, wish: AuditWish): Promise<FoundPage>
  auditReach(caller: Caller): Promise<AuditReach>
}
