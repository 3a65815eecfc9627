import { ANNOTATION_ADOPT } from '#api/v1alpha1/names'
import type { Deps, StoredValue, Versioned } from '../ports.ts'
import { ownerOf, type Claimant } from './claimant.ts'
import { effect } from './effects/effect.ts'
import { accepted, fenceOf, insist } from './effects/credential.ts'
import { record } from './effects/record.ts'
import { isRefusal, type Refusal } from './eligibility.ts'
import { enrolledPair } from './enrolment.ts'
import { newRecord } from './new-record.ts'
import {
  closePredecessor,
  findPredecessor,
  isNamed,
  isOfAnotherCluster,
  refusalToTakeOver,
} from './predecessor.ts'
import { resync } from './resync.ts'
import { isSameOwner, ownerText, type ClaimOwner, type StateRecord } from './state.ts'

export type Claim =
  | {
      readonly kind: 'held'
      readonly state: Versioned<StateRecord>
      readonly value: Versioned<StoredValue>
    }
  /** One thing was done towards it; the next pass sees it. */
  | { readonly kind: 'acted' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Record, path and roles belong to the first resource that names them; a later one is told whose they are. */
export async function claim(by: Claimant, deps: Deps, signal: AbortSignal): Promise<Claim> {
  const owner = ownerOf(by.rotation, deps.cluster)
  const { path } = by.rotation.spec.store
  // The value is read before the record: whoever published in between has moved the number we would write on.
  const value = await deps.values.read(owner.namespace, path, signal)
  const state = await deps.states.read(owner, signal)
  const mayAdopt = by.rotation.metadata.annotations?.[ANNOTATION_ADOPT]

  if (value && isForeign(value.value, owner, mayAdopt)) {
    return claimedByOther(`apps/${owner.namespace}/${path}`, value.value.owner, owner)
  }
  if (!state || !isSameOwner(state.value.owner, owner)) {
    const before = state?.value
    if (before && !before.released && before.owner.uid !== mayAdopt) {
      return claimedByOther('the record', ownerText(before.owner), owner)
    }
    return claimRecord(by, { owner, value, before: state }, deps, signal)
  }
  const unfinished = await finishBefore(by, { owner, value, before: state }, state, deps, signal)
  if (unfinished) return unfinished
  if (!value || value.value.owner !== ownerText(owner) || value.value.released) {
    await effect(deps, 'claimPath', () =>
      deps.values.write(
        owner.namespace,
        path,
        { ...(value?.value ?? {}), owner: ownerText(owner), released: false },
        value?.cas ?? 0,
        signal,
      ),
    )
    return { kind: 'acted' }
  }
  const current = movedCurrent(state.value, value)
  if (current) {
    await record(deps, state, { current }, undefined, signal)
    return { kind: 'acted' }
  }
  return { kind: 'held', state, value }
}

/** What a claim still has to do, or a restore, before anything is observed. */
async function finishBefore(
  by: Claimant,
  found: Found,
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<Claim | undefined> {
  if (state.value.takenFrom) {
    if (await closePredecessor(state, deps, signal)) return { kind: 'acted' }
    return claimRecord(by, found, deps, signal)
  }
  if (state.value.adopting !== undefined) return adoptRoles(by, state, deps, signal)
  const resynced = await resync(by, state, found.value?.value, deps, signal)
  return resynced ? { kind: 'acted' } : undefined
}

/** Claiming or handing over writes the same value under a new number; retirement has to destroy that one. */
function movedCurrent({ current }: StateRecord, { value, cas }: Versioned<StoredValue>) {
  const same =
    value.issue?.rotationId === current?.rotationId && value.issue?.version === current?.version
  if (!current || !same || current.storeVersion === cas) return undefined
  return { ...current, storeVersion: cas }
}

/** What was there before this resource came. */
interface Found {
  readonly owner: ClaimOwner
  readonly value: Versioned<StoredValue> | undefined
  readonly before: Versioned<StateRecord> | undefined
}

async function claimRecord(
  by: Claimant,
  { owner, value, before }: Found,
  deps: Deps,
  signal: AbortSignal,
): Promise<Claim> {
  const [first] = by.source.roles
  const standing = await enrolledPair(by, owner)
  if (isRefusal(standing)) return { kind: 'refused', refusal: standing }
  const mayAdopt = by.rotation.metadata.annotations?.[ANNOTATION_ADOPT]
  const holder = standing.owner === ownerText(owner) ? null : standing.owner
  if (holder !== null && !mayHandOver(holder, owner, before?.value, mayAdopt))
    return claimedByOther(`role "${first}"`, holder, owner)
  const wish = { uid: mayAdopt, owners: [holder, value?.value.owner] }
  const predecessor = await findPredecessor(owner, before?.value, wish, deps, signal)
  const refusal = predecessor && refusalToTakeOver(by, predecessor)
  if (refusal) return { kind: 'refused', refusal }
  const fresh = newRecord(by, { owner, value, standing, before: before?.value, predecessor })
  const next = holder === null ? fresh : { ...fresh, adopting: holder }
  await effect(deps, 'recordState', () => deps.states.write(owner, next, before?.cas ?? 0, signal))
  return { kind: 'acted' }
}

/**
 * To whom a person named, and to a namesake of one that was released while the database was away: its record says
 * that it let go. An adoption left half-way counts too: then the roles still carry the name of the owner before.
 */
function mayHandOver(
  holder: string,
  owner: ClaimOwner,
  before: StateRecord | undefined,
  mayAdopt: string | undefined,
): boolean {
  if (isNamed(holder, mayAdopt, owner)) return true
  if (!before) return false
  if (before.released) return holder === ownerText(before.owner)
  return before.owner.uid === mayAdopt && before.adopting === holder
}

async function adoptRoles(
  by: Claimant,
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<Claim> {
  const [role] = state.value.claim.roles
  const fence = fenceOf(state.value, role)
  const from = state.value.adopting ?? ''
  insist(
    await effect(deps, 'adoptRoles', () => by.database.adopt(role, from, fence)),
    role,
    state.value,
  )
  const note = { action: 'rotation.claim' as const, details: { from } }
  await record(
    deps,
    state,
    { ...accepted(state.value, role, fence), adopting: undefined },
    note,
    signal,
  )
  return { kind: 'acted' }
}

const uidOf = (owner: string): string => owner.split('/')[3] ?? ''

function isForeign(value: StoredValue, owner: ClaimOwner, mayAdopt: string | undefined): boolean {
  if (value.owner === ownerText(owner) || value.released) return false
  return !isNamed(value.owner, mayAdopt, owner)
}

const claimedByOther = (what: string, holder: string, owner: ClaimOwner): Claim => ({
  kind: 'refused',
  refusal: { reason: 'ClaimedByOther', message: claimantOf(what, holder, owner) },
})

function claimantOf(what: string, holder: string, owner: ClaimOwner): string {
  if (holder === '') return `${what} holds a value that no rotation wrote; choose another path`
  const belongs = `${what} belongs to ${holder}`
  return isOfAnotherCluster(holder, owner)
    ? `${belongs} of another cluster; delete that resource there, or give a restored cluster its former id`
    : `${belongs}; delete that resource, or set palisade.dev/adopt: ${uidOf(holder)}`
}
