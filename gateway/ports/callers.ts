import type { Role } from '../identity/roles.ts'

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
