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

/** Whether records have their place in the log: what routes declared `audit: 'sealed'` wait for. */
export interface SealStore {
  areSealed(tenantId: string, recordIds: readonly string[]): Promise<boolean>
}
