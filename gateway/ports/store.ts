import type { Role } from '../identity/roles.ts'
import type { AuditRow } from './audit-records.ts'
import type { Caller } from './callers.ts'
import type {
  ChangeHead,
  ReadOutcome,
  ReadSecret,
  SecretHead,
  SecretSummary,
  WriteOutcome,
  WriteSecret,
} from './secrets.ts'

/**
 * What the services need from outside lies in this folder: `store/` implements it on PostgreSQL, `keys/` wraps keys by
 * Vault transit or a key file. Nothing here knows SQL, HTTP or Vault.
 */

/**
 * Every call is one transaction under the caller's row-level security and refuses with ERR_TOKEN_REVOKED when the
 * user's token version moved on, the user or the tenant is locked. The audit row commits with the change or not at all.
 */
export interface Store {
  findHead(caller: Caller, name: string): Promise<SecretHead | null>
  readSecret(caller: Caller, wish: ReadSecret): Promise<ReadOutcome>
  writeSecret(caller: Caller, wish: WriteSecret): Promise<WriteOutcome>
  changeHead(caller: Caller, wish: ChangeHead): Promise<WriteOutcome>
  listSecrets(
    caller: Caller,
    page: { readonly after: string | null; readonly limit: number },
    audit: AuditRow,
  ): Promise<readonly SecretSummary[]>
  /** A refusal or a failed handler: a transaction of its own. */
  appendAudit(caller: Caller | null, row: AuditRow): Promise<void>
  /** Makes the user and the personal tenant when they are not there yet. Development login and embedded mode only. */
  ensureUser(user: {
    readonly userId: string
    readonly tenantId: string
    /** Default: user. */
    readonly role?: Role
  }): Promise<{ tokenVersion: number }>
  /** Problems that make the role unfit (superuser, BYPASSRLS, owner of a table), empty when it is fit. */
  unfitRole(): Promise<readonly string[]>
  /** Ok when the database answers and the schema is the expected one. */
  ready(): Promise<{ readonly ok: boolean; readonly reason: string }>
  close(): Promise<void>
}
