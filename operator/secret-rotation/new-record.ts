import { randomUUID } from 'node:crypto'
import { generatePassword } from '#core/password'
import type { FenceStanding, StoredValue, Versioned } from '../ports.ts'
import { inherited } from './audit-outbox.ts'
import type { Claimant } from './claimant.ts'
import type { Predecessor } from './predecessor.ts'
import type { ClaimOwner, InFlight, Issued, StateRecord, Step } from './state.ts'

export interface Beginnings {
  readonly owner: ClaimOwner
  readonly value: Versioned<StoredValue> | undefined
  readonly standing: FenceStanding
  /** What stood at this name, released or to be adopted. */
  readonly before: StateRecord | undefined
  /** Whose claim is adopted, under this name or another one. */
  readonly predecessor: Predecessor | undefined
}

/** Numbers go on from the highest seen, so nothing that an earlier owner left under way can fit again. */
export function newRecord(by: Claimant, from: Beginnings): StateRecord {
  const { before, owner, standing, value } = from
  const taken = from.predecessor?.record
  const written = value?.value.issue?.seq ?? 0
  const seqs = [...Object.values(standing.seqs), written, before?.seq ?? 0, taken?.seq ?? 0]
  return {
    format: 1,
    owner,
    seq: Math.max(...seqs) + 1,
    fences: standing.seqs,
    claim: claimOf(by),
    ...underWay(by, value, taken),
    secretSeq: Math.max(before?.secretSeq ?? 0, taken?.secretSeq ?? 0, written) + 1,
    ...handledBy(taken ?? before),
    ...takenFrom(from.predecessor),
    outbox: outboxOf(owner, before),
  }
}

/**
 * A rotation that runs is taken over at the step where it is, with the value that nobody has published yet and the
 * previous one that still opens: nobody else would ever retire what they have set.
 */
function underWay(
  by: Claimant,
  value: Versioned<StoredValue> | undefined,
  taken: StateRecord | undefined,
): Pick<StateRecord, 'rotation' | 'current' | 'previous'> {
  if (taken?.rotation) {
    const { rotation, current, previous } = taken
    return { rotation: revived(rotation), current, previous }
  }
  return { rotation: null, current: stillCurrent(by, value), previous: null }
}

const BEFORE_PUBLICATION: readonly Step[] = ['setVerifier', 'testLogin', 'publishValue']

/** One whose value went with its resource begins anew, so that the user opens with nothing that nobody knows. */
function revived(rotation: InFlight): InFlight {
  if (rotation.pending !== undefined || !BEFORE_PUBLICATION.includes(rotation.step)) return rotation
  return { ...rotation, id: randomUUID(), step: 'setVerifier', pending: generatePassword() }
}

/** What a person asked of the one before is not done a second time. */
function handledBy(
  before: StateRecord | undefined,
): Pick<StateRecord, 'lastRotationTime' | 'lastHandledRotateNow' | 'lastHandledLeak'> {
  const { lastRotationTime, lastHandledRotateNow, lastHandledLeak } = before ?? {}
  return {
    ...(lastRotationTime === undefined ? {} : { lastRotationTime }),
    ...(lastHandledRotateNow === undefined ? {} : { lastHandledRotateNow }),
    ...(lastHandledLeak === undefined ? {} : { lastHandledLeak }),
  }
}

function takenFrom(predecessor: Predecessor | undefined): Pick<StateRecord, 'takenFrom'> {
  if (!predecessor) return {}
  const { record, cas } = predecessor
  if (cas !== undefined) return { takenFrom: { owner: record.owner, cas } }
  // It had not closed the one before itself yet.
  return record.takenFrom ? { takenFrom: record.takenFrom } : {}
}

/** Of what stood at this name; a record of another one tells what is left in it by itself. */
function outboxOf(owner: ClaimOwner, before: StateRecord | undefined): StateRecord['outbox'] {
  if (!before || before.owner.uid === owner.uid) return before?.outbox ?? []
  return inherited(before.outbox, before.owner.uid)
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
