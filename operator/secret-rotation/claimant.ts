import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { DatabaseAddress, RotatingDatabase } from '../ports.ts'
import type { AlternatingRoles } from './eligibility.ts'
import type { ClaimOwner } from './state.ts'

/** Who asks for the record, the path and the roles. */
export interface Claimant {
  readonly rotation: SecretRotation
  readonly source: AlternatingRoles
  readonly backend: RotationBackend
  readonly database: RotatingDatabase
  readonly address: DatabaseAddress
}

export const ownerOf = (rotation: SecretRotation, cluster: string): ClaimOwner => ({
  cluster,
  namespace: rotation.metadata.namespace ?? '',
  name: rotation.metadata.name,
  uid: rotation.metadata.uid ?? '',
})
