/**
 * Places of records per tenant, as leaves of a second tree: a tenant's records can be shown to be complete up to
 * a number without showing anybody else's.
 */
export interface Place {
  readonly epoch: number
  readonly seq: number
  readonly tenant: string
  readonly tenantSeq: number
}

/** Canonical JSON (RFC 8785), written out: four members that are in order already, once per record. */
export const placeBytes = ({ epoch, seq, tenant, tenantSeq }: Place): Buffer =>
  Buffer.from(
    `{"epoch":${epoch},"seq":${seq},"tenant":${JSON.stringify(tenant)},"tenantSeq":${tenantSeq}}`,
  )
