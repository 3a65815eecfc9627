import { canonicalJson } from '../canonical-json.ts'

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

export const placeBytes = ({ epoch, seq, tenant, tenantSeq }: Place): Buffer =>
  Buffer.from(canonicalJson({ epoch, seq, tenant, tenantSeq }))
