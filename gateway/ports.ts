/**
 * What the services need from outside. `store/` implements `Store` on PostgreSQL, `keys/` implements `KeyWrapper`
 * on Vault transit or a key file; nothing here knows SQL, HTTP or Vault.
 */
import type { AuditPlace, CutThrough } from '#api/rest/audit'
import type { Role } from './identity/roles.ts'

/** Who is asking. Every store call sets it for the transaction, and row-level security sees nothing without it. */
export interface Caller {
  readonly userId: string
  readonly tenantId: string
  readonly roles: readonly Role[]
  /** Version of the user's tokens at issue; the store compares it with the row of today. */
  readonly tokenVersion: number
  /** `jti` of the access token. */
  readonly tokenId: string
}

/** A program of the cluster, by the service account that the API server recognised it by. */
export interface Workload {
  readonly kind: 'operator' | 'serviceAccount'
  /** `<cluster>/<namespace>/<name>`. */
  readonly id: string
}

/** An audit record made and authenticated by the writer before the transaction commits. */
export interface AuditRow {
  readonly id: string
  readonly formatVersion: number
  readonly tenantId: string
  readonly writer: string
  readonly keyId: string
  /** RFC 8785 bytes; the leaf hash covers exactly these. */
  readonly bytes: Uint8Array
  readonly mac: Uint8Array
  readonly leaf: Uint8Array
}

/** The state of a secret that is compared at each read, so that a restored old row is noticed. */
export interface SecretHead {
  readonly secretId: string
  readonly name: string
  readonly currentVersion: number
  readonly deleted: boolean
  readonly keyId: string
  readonly mac: Uint8Array
}

/** One encrypted version. `wrappedKey` is the key wrapper's text; it holds data key and digest of the AAD. */
export interface SealedVersion {
  readonly version: number
  readonly format: number
  readonly algorithm: 'A256GCM'
  readonly nonce: Uint8Array
  /** Ciphertext followed by the 16-byte tag. */
  readonly ciphertext: Uint8Array
  readonly wrappedKey: string
}

export interface StoredVersion extends SealedVersion {
  readonly createdAt: Date
}

export interface SecretSummary {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly deleted: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface IdempotencyClaim {
  readonly key: string
  /** SHA-256 over method, path and canonical body; never the body itself. */
  readonly requestDigest: Uint8Array
}

/** `moved`: the head is not the expected one; nothing was read, changed or recorded. */
export type ReadOutcome =
  | { readonly kind: 'read'; readonly head: SecretHead; readonly version: StoredVersion }
  | { readonly kind: 'moved'; readonly head: SecretHead }
  | { readonly kind: 'absent' }

export type WriteOutcome =
  | { readonly kind: 'written'; readonly createdAt: Date }
  | { readonly kind: 'moved'; readonly head: SecretHead | null }
  /** The same request was done before under this idempotency key; nothing was changed now. */
  | {
      readonly kind: 'repeated'
      readonly secretId: string
      readonly version: number
      readonly createdAt: Date
    }
  /** The key was used with another request. */
  | { readonly kind: 'keyReused' }

export interface ReadSecret {
  readonly name: string
  /** null: the current version. */
  readonly version: number | null
  /** Current version the caller's record was made for; null when it is not known yet (the answer is then `moved`). */
  readonly expected: number | null
  /** Written when the secret was read, or when there is none; exactly one of them, in the same transaction. */
  readonly audit: { readonly read: AuditRow; readonly absent: AuditRow }
}

export interface WriteSecret {
  readonly name: string
  readonly secretId: string
  /** 0: there must be no such secret yet. */
  readonly expected: number
  readonly sealed: SealedVersion
  /** Head after the write, with its new MAC. */
  readonly head: SecretHead
  readonly audit: AuditRow
  readonly idempotency: IdempotencyClaim | null
}

/** Delete and restore change the head alone; the versions stay until they are destroyed. */
export interface ChangeHead {
  readonly name: string
  readonly expected: { readonly version: number; readonly deleted: boolean }
  readonly head: SecretHead
  readonly audit: AuditRow
}

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

/** What of the database's volume is taken, in bytes. */
export interface VolumeUse {
  readonly data: number
  readonly wal: number
  /** False where the server does not let us list the write-ahead log: `wal` is its configured bound then. */
  readonly walIsListed: boolean
}

export interface VolumeStore {
  volumeUse(): Promise<VolumeUse>
}

/** A step that somebody else took, with the record made of it. */
export interface ReportedStep {
  readonly resource: string
  readonly rotationId: string
  readonly seq: number
  readonly type: string
  /** SHA-256 over the canonical entry: what a repetition must have in common with the first telling. */
  readonly digest: Uint8Array
  readonly audit: AuditRow
}

export type IntakeOutcome =
  /** Per step, in order: whether its record was written now or had been before. */
  | { readonly kind: 'recorded'; readonly fresh: readonly boolean[] }
  /** Places of steps that are recorded with other content; of this batch nothing was kept. */
  | { readonly kind: 'conflict'; readonly places: readonly number[] }

/** Takes a batch whole or not at all, in one transaction; a step that was told before changes nothing. */
export interface IntakeStore {
  ingestAudit(reporter: string, steps: readonly ReportedStep[]): Promise<IntakeOutcome>
}

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

/** Wraps data keys under a key per tenant (or per user for personal fields). Key names: `tenant-<uuid>`, `user-<uuid>`. */
export interface KeyWrapper {
  /** Makes the key when there is none yet. */
  ensureKey(keyName: string): Promise<void>
  wrap(keyName: string, plaintext: Uint8Array): Promise<string>
  unwrap(keyName: string, wrapped: string): Promise<Uint8Array>
  ready(): Promise<{ readonly ok: boolean; readonly reason: string }>
}

/** Whether records have their place in the log: what routes declared `audit: 'sealed'` wait for. */
export interface SealStore {
  areSealed(tenantId: string, recordIds: readonly string[]): Promise<boolean>
}

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
