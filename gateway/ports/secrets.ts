import type { AuditRow } from './audit-records.ts'

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
