import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { Deps, RotatingDatabase, Versioned } from '../ports.ts'
import { isAbandoned } from './abandon.ts'
import { ownerOf } from './claimant.ts'
import { accepted, fenceOf, insist } from './effects/credential.ts'
import { effect } from './effects/effect.ts'
import { record, type Note, type Outcome } from './effects/record.ts'
import { sessionsLeft, silentIn } from './effects/silence.ts'
import { sessionsMayOutlive } from './may-let-go.ts'
import { sessionsUnknown } from './report.ts'
import { isSameOwner, ownerText, type StateRecord } from './state.ts'

/** `more`: something was done, or somebody else went on; the next pass sees it. */
export type Progress =
  | { readonly kind: 'done' }
  | { readonly kind: 'more' }
  /** Nobody is left to give the credential back to, or a person gave it up. */
  | { readonly kind: 'orphaned'; readonly because: Because }

/** Why a credential outlives its resource: in words for an event, as one word for the audit log. */
export interface Because {
  readonly cause: string
  readonly detail: string
  readonly policy: NonNullable<StateRecord['released']>['policy']
}

/** The record of a resource that is going, unless it is another's or was released before. */
export async function recordToRelease(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Versioned<StateRecord> | undefined> {
  const owner = ownerOf(rotation, deps.cluster)
  const state = await deps.states.read(owner, signal)
  if (!state || !isSameOwner(state.value.owner, owner) || state.value.released) return undefined
  return state
}

/** One outside effect per pass, until nothing is left to do. */
export async function giveBack(
  rotation: SecretRotation,
  state: Versioned<StateRecord> | undefined,
  deps: Deps,
  signal: AbortSignal,
): Promise<Progress> {
  if (!state) return { kind: 'done' }
  const { deletionPolicy: policy } = rotation.spec
  if (isAbandoned(rotation, state.value)) {
    const detail = 'it was given up by palisade.dev/abandon'
    return { kind: 'orphaned', because: { cause: 'Abandoned', detail, policy: 'Abandoned' } }
  }
  const { backend: name } = state.value.claim
  const backend = await deps.backends.find(name, signal)
  if (!backend && hasTouchedDatabase(state.value)) {
    const detail = `RotationBackend "${name}" does not exist`
    return { kind: 'orphaned', because: { cause: 'BackendNotFound', detail, policy } }
  }
  if (backend) {
    const database = deps.databaseOf(backend)
    const [role] = rolesToClose(rotation, state.value)
    if (role !== undefined) {
      await closeRole(rotation, role, { database, state }, deps, signal)
      return { kind: 'more' }
    }
    if (!state.value.rolesReleased) {
      await releaseRoles(database, state, deps, signal)
      return { kind: 'more' }
    }
  }
  await releasePath(rotation, state.value, deps, signal)
  const note = { action: 'rotation.release' as const, details: { policy } }
  return { kind: (await entomb(state, policy, note, deps, signal)) ? 'done' : 'more' }
}

const hasTouchedDatabase = ({ current, rotation }: StateRecord): boolean =>
  current !== null || rotation !== null

/**
 * A tombstone, not a deletion: a deleted record counts from 1 again, and an old number would fit once more.
 * False when another replica wrote in between.
 */
export async function entomb(
  state: Versioned<StateRecord>,
  policy: Because['policy'],
  note: Note,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const at = deps.clock.now().toISOString()
  const change = { released: { at, policy }, rotation: null }
  return (await record(deps, state, change, note, signal)).kind === 'done'
}

/**
 * Retain leaves the current user as it is. A value that was never published opens nothing for anybody, and goes;
 * so does the one before, which only this resource would have retired.
 */
function rolesToClose(rotation: SecretRotation, state: StateRecord): readonly string[] {
  const { current, claim, closed = [] } = state
  const wanted =
    rotation.spec.deletionPolicy === 'Revoke'
      ? claim.roles
      : state.rotation
        ? claim.roles.filter((role) => role !== current?.role)
        : []
  return wanted.filter((role) => !closed.includes(role))
}

async function closeRole(
  rotation: SecretRotation,
  role: string,
  { database, state }: { database: RotatingDatabase; state: Versioned<StateRecord> },
  deps: Deps,
  signal: AbortSignal,
): Promise<Outcome> {
  const fence = fenceOf(state.value, role)
  insist(
    await effect(deps, 'destroyVerifier', () => database.destroyVerifier(role, fence)),
    role,
    state.value,
  )
  // The fence stands at our number now; ending sessions moves it no further.
  const standing = { ...fence, expected: fence.next }
  const ended = await effect(deps, 'terminateSessions', () => database.terminate(role, standing))
  insist(ended, role, state.value)
  const silent = silentIn(ended)
  if (silent.length > 0) {
    if (!sessionsMayOutlive(rotation, deps.clock.now())) throw sessionsLeft(role, silent)
    const names = silent.map(({ instance }) => instance)
    deps.events.record(rotation, sessionsUnknown(role, names))
  }
  const closed = [...(state.value.closed ?? []), role]
  return record(deps, state, { closed, ...accepted(state.value, role, fence) }, undefined, signal)
}

async function releaseRoles(
  database: RotatingDatabase,
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const [role] = state.value.claim.roles
  const fence = fenceOf(state.value, role)
  // Nobody claimed the pair in the database before its first verifier.
  const standing = await database.standing(role)
  if (standing?.owner === fence.owner) {
    insist(
      await effect(deps, 'releaseRoles', () => database.release(role, fence)),
      role,
      state.value,
    )
  }
  await record(
    deps,
    state,
    { rolesReleased: true, ...accepted(state.value, role, fence) },
    undefined,
    signal,
  )
}

export async function releasePath(
  rotation: SecretRotation,
  state: StateRecord,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = state.owner
  const { storePath } = state.claim
  const value = await deps.values.read(namespace, storePath, signal)
  if (value?.value.owner !== ownerText(state.owner) || value.value.released) return
  const revoke = rotation.spec.deletionPolicy === 'Revoke'
  const left = revoke
    ? { owner: value.value.owner, released: true }
    : { ...value.value, released: true }
  await effect(deps, 'releasePath', () =>
    deps.values.write(namespace, storePath, left, value.cas, signal),
  )
  if (!revoke) return
  await effect(deps, 'destroyValue', () =>
    deps.values.destroy(namespace, storePath, value.cas, signal),
  )
}
