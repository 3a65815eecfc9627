import { ANNOTATION_ABANDON, FINALIZER } from '#api/v1alpha1/names'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps, RotatingDatabase, Versioned } from '../ports.ts'
import { AGAIN, REST, type Next } from '../runtime/controller.ts'
import { hasFinalizer } from '../runtime/finalizer.ts'
import { ownerOf } from './claim.ts'
import { deliverAudit } from './deliver-audit.ts'
import { describeTrouble } from './describe.ts'
import { accepted, fenceOf, insist } from './effects/credential.ts'
import { effect } from './effects/effect.ts'
import { record, type Outcome } from './effects/record.ts'
import { isSameOwner, ownerText, type StateRecord } from './state.ts'

const TERMINATING_LIMIT_MS = 600_000

/** Gives up what the resource held. What cannot be given back never blocks a deletion for ever. */
export async function release(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  deps.metrics.forget({
    namespace: rotation.metadata.namespace ?? '',
    name: rotation.metadata.name,
  })
  if (!hasFinalizer(rotation, FINALIZER)) return REST
  const { deletionPolicy } = rotation.spec
  try {
    const done = await giveBack(rotation, deps, signal)
    if (!done) return AGAIN
    await deliverLast(rotation, deps, signal)
  } catch (error) {
    if (!(error instanceof PalisadeError)) throw error
    if (deletionPolicy === 'Revoke' && !(await mayLetGo(rotation, deps, signal))) {
      await explainWaiting(rotation, error, deps, signal)
      throw error
    }
    const note = `Released without its backends: ${error.detail}`
    deps.events.record(rotation, { type: 'Warning', reason: 'Orphaned', action: 'Release', note })
    deps.log.warn({ rotation: rotation.metadata.name, code: error.code }, 'Released an orphan')
  }
  await deps.rotations.letGo(rotation)
  return REST
}

/** No later pass of this resource offers them: what is not taken now waits for a namesake that claims the record. */
async function deliverLast(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const owner = ownerOf(rotation, deps.cluster)
  const state = await deps.states.read(owner, signal)
  if (state && isSameOwner(state.value.owner, owner)) await deliverAudit(state, deps, signal)
}

/** True when nothing is left to do; one outside effect per pass before that. */
async function giveBack(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const owner = ownerOf(rotation, deps.cluster)
  const state = await deps.states.read(owner, signal)
  if (!state || !isSameOwner(state.value.owner, owner) || state.value.released) return true
  const abandoned = isAbandoned(rotation, state.value)
  const policy = abandoned ? 'Abandoned' : rotation.spec.deletionPolicy
  const backend = await deps.backends.find(state.value.claim.backend, signal)
  if (backend && !abandoned) {
    const database = deps.databaseOf(backend)
    const left = rolesToClose(rotation, state.value)
    const [role] = left
    if (role !== undefined) {
      await closeRole(role, database, state, deps, signal)
      return false
    }
    if (!state.value.rolesReleased) {
      await releaseRoles(database, state, deps, signal)
      return false
    }
  }
  await releasePath(rotation, state.value, deps, signal)
  const at = deps.clock.now().toISOString()
  const note = { action: 'rotation.release' as const, details: { policy } }
  // A tombstone, not a deletion: a deleted record counts from 1 again, and an old number would fit once more.
  await record(deps, state, { released: { at, policy }, rotation: null }, note, signal)
  return true
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
  role: string,
  database: RotatingDatabase,
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<Outcome> {
  const fence = fenceOf(state.value, role)
  insist(await effect(deps, 'destroyVerifier', () => database.destroyVerifier(role, fence)), role)
  // The fence stands at our number now; ending sessions moves it no further.
  const standing = { ...fence, expected: fence.next }
  insist(await effect(deps, 'terminateSessions', () => database.terminate(role, standing)), role)
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
    insist(await effect(deps, 'releaseRoles', () => database.release(role, fence)), role)
  }
  await record(
    deps,
    state,
    { rolesReleased: true, ...accepted(state.value, role, fence) },
    undefined,
    signal,
  )
}

async function releasePath(
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

const idOf = (state: StateRecord): string =>
  state.rotation?.id ?? state.current?.rotationId ?? 'none'

const isAbandoned = (rotation: SecretRotation, state: StateRecord): boolean =>
  rotation.metadata.annotations?.[ANNOTATION_ABANDON] === idOf(state)

/** The backend was taken away, the namespace has been going for long, or a person gave up. */
async function mayLetGo(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const abandon = rotation.metadata.annotations?.[ANNOTATION_ABANDON]
  if (abandon !== undefined && abandon === rotation.status?.rotationId) return true
  const name = rotation.spec.source.postgresRole?.connectionRef.name
  if (name === undefined || !(await deps.backends.find(name, signal))) return true
  const namespace = await deps.backends.namespaceLabels(rotation.metadata.namespace ?? '', signal)
  const since = namespace?.terminatingSince
  if (!namespace) return true
  return (
    since !== undefined && deps.clock.now().getTime() - Date.parse(since) > TERMINATING_LIMIT_MS
  )
}

async function explainWaiting(
  rotation: SecretRotation,
  error: PalisadeError,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = '' } = rotation.metadata
  const id = rotation.status?.rotationId ?? 'none'
  const giveUp = `kubectl -n ${namespace} annotate srot ${name} palisade.dev/abandon=${id}`
  const message = `The credential is to be revoked and cannot be: ${error.message}. To give it up: ${giveUp}`
  const standing = {
    ready: 'False',
    reconciling: true,
    stalled: false,
    reason: 'Releasing',
    message,
  } as const
  const status = describeTrouble(rotation, standing, deps.clock.now())
  await deps.rotations.writeStatus(rotation, status, signal)
}
