import type { FenceStanding, StoredValue, Versioned } from '../ports.ts'
import { inherited } from './audit-outbox.ts'
import type { Claimant } from './claim.ts'
import type { ClaimOwner, Issued, StateRecord } from './state.ts'

export interface Beginnings {
  readonly owner: ClaimOwner
  readonly value: Versioned<StoredValue> | undefined
  readonly standing: FenceStanding
  readonly before: StateRecord | undefined
}

/** Numbers go on from the highest seen, so nothing that an earlier owner left under way can fit again. */
export function newRecord(by: Claimant, from: Beginnings): StateRecord {
  const { before, owner, standing, value } = from
  const written = value?.value.issue?.seq ?? 0
  const seen = [...Object.values(standing.seqs), written, before?.seq ?? 0]
  const lastRotationTime = before?.lastRotationTime
  return {
    format: 1,
    owner,
    seq: Math.max(...seen) + 1,
    fences: standing.seqs,
    claim: claimOf(by),
    rotation: null,
    current: stillCurrent(by, value),
    previous: null,
    secretSeq: Math.max(before?.secretSeq ?? 0, written) + 1,
    ...(lastRotationTime === undefined ? {} : { lastRotationTime }),
    outbox: before ? inherited(before.outbox, before.owner.uid) : [],
  }
}

const claimOf = ({ source, address, rotation }: Claimant): StateRecord['claim'] => ({
  backend: source.connectionRef.name,
  roles: source.roles,
  memberOf: source.memberOf,
  database: address.database,
  storePath: rotation.spec.store.path,
  secretName: rotation.spec.secret.name,
})

/** After a restore the published value is still the current one, as long as it is of these roles. */
function stillCurrent(
  { source, rotation }: Claimant,
  value: Versioned<StoredValue> | undefined,
): Issued | null {
  const issue = value?.value.issue
  const role = issue?.fields.reveal()['username'] ?? ''
  if (!value || !issue || !source.roles.includes(role)) return null
  return {
    version: issue.version,
    role,
    rotationId: issue.rotationId,
    storeVersion: value.cas,
    issuedAt: rotation.metadata.creationTimestamp ?? '',
  }
}
