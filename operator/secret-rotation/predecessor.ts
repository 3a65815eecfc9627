import type { Deps, Versioned } from '../ports.ts'
import type { Claimant } from './claimant.ts'
import type { Refusal } from './eligibility.ts'
import { effect } from './effects/effect.ts'
import { record } from './effects/record.ts'
import { isSameOwner, ownerText, type ClaimOwner, type StateRecord } from './state.ts'

/** The record of the resource whose claim is adopted. */
export interface Predecessor {
  readonly record: StateRecord
  /** Set when it stands under another name, where it has to be closed; under the same one it is written over. */
  readonly cas?: number
}

/** What a person named, and the owners that roles and value name. */
export interface Adoption {
  readonly uid: string | undefined
  readonly owners: readonly (string | null | undefined)[]
}

/**
 * A person's word covers what this cluster holds. Another one with the same store and database may have a namespace of
 * the same name, whose people nobody asked.
 */
export function isNamed(holder: string, uid: string | undefined, owner: ClaimOwner): boolean {
  const [cluster, , , itsUid = ''] = holder.split('/')
  return itsUid !== '' && itsUid === uid && cluster === owner.cluster
}

export const isOfAnotherCluster = (holder: string, { cluster }: ClaimOwner): boolean =>
  holder !== '' && holder.split('/')[0] !== cluster

/** Found by the words in which the roles or the value name their owner; somebody else's uid leads nowhere. */
export async function findPredecessor(
  owner: ClaimOwner,
  before: StateRecord | undefined,
  { uid, owners }: Adoption,
  deps: Deps,
  signal: AbortSignal,
): Promise<Predecessor | undefined> {
  const underThisName = before && atThisName(before, { uid, owners })
  if (underThisName) return { record: underThisName }
  for (const text of owners) {
    const named = ownerIn(text ?? '')
    if (!named || !isNamed(ownerText(named), uid, owner)) continue
    // Only of its own namespace: the roles and the path are no other's.
    if (named.namespace !== owner.namespace) continue
    const found = await deps.states.read(named, signal)
    if (!found || !isSameOwner(found.value.owner, named) || found.value.released) continue
    return { record: found.value, cas: found.cas }
  }
  return undefined
}

/** A tombstone counts while the roles still carry its name: it was written without them. */
function atThisName(before: StateRecord, { uid, owners }: Adoption): StateRecord | undefined {
  if (!before.released) return before.owner.uid === uid ? before : undefined
  const { interrupted } = before
  const isLeft = interrupted !== undefined && owners.includes(ownerText(before.owner))
  return isLeft ? { ...before, rotation: interrupted } : undefined
}

/** The parts become a path, so what is no name is not followed. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

function ownerIn(text: string): ClaimOwner | undefined {
  const [cluster = '', namespace = '', name = '', uid = '', ...more] = text.split('/')
  const isName = [cluster, namespace, name].every((part) => NAME.test(part))
  return isName && more.length === 0 ? { cluster, namespace, name, uid } : undefined
}

/** What runs can be gone on with by a resource that means the same users and the same place, and by no other. */
export function refusalToTakeOver(
  { source, rotation }: Claimant,
  { record }: Predecessor,
): Refusal | undefined {
  if (!record.rotation) return undefined
  const { backend, roles, storePath } = record.claim
  const same =
    backend === source.connectionRef.name &&
    storePath === rotation.spec.store.path &&
    roles.every((role) => source.roles.includes(role))
  if (same) return undefined
  return {
    reason: 'ClaimedByOther',
    message: `${ownerText(record.owner)} has a rotation under way; adopt it with its own backend (${backend}), roles (${roles.join(', ')}) and store.path (${storePath})`,
  }
}

/**
 * Closes the record that was taken over, so that whoever may still serve it cannot go on, and so that its value is
 * in one place again. False when it has moved on since it was read: then it has to be read again.
 */
export async function closePredecessor(
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const { takenFrom } = state.value
  if (!takenFrom) return true
  const found = await deps.states.read(takenFrom.owner, signal)
  if (found && !found.value.released && isSameOwner(found.value.owner, takenFrom.owner)) {
    if (found.cas !== takenFrom.cas) return false
    const at = deps.clock.now().toISOString()
    const closed: StateRecord = {
      ...found.value,
      seq: found.value.seq + 1,
      rotation: null,
      previous: null,
      released: { at, policy: 'Adopted' },
    }
    const written = await effect(deps, 'recordState', () =>
      deps.states.write(takenFrom.owner, closed, found.cas, signal),
    )
    if (written.kind === 'stale') return false
  }
  await record(deps, state, { takenFrom: undefined }, undefined, signal)
  return true
}
