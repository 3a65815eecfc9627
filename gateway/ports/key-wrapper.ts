/** Wraps data keys under a key per tenant (or per user for personal fields). Key names: `tenant-<uuid>`, `user-<uuid>`. */
export interface KeyWrapper {
  /** Makes the key when there is none yet. */
  ensureKey(keyName: string): Promise<void>
  wrap(keyName: string, plaintext: Uint8Array): Promise<string>
  unwrap(keyName: string, wrapped: string): Promise<Uint8Array>
  ready(): Promise<{ readonly ok: boolean; readonly reason: string }>
}
