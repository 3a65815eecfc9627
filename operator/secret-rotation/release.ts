import { FINALIZER } from '#api/v1alpha1/names'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps, Versioned } from '../ports.ts'
import { AGAIN, after, REST, type Next } from '../runtime/controller.ts'
import { hasFinalizer } from '../runtime/finalizer.ts'
import { commandToAbandon, isAbandoned } from './abandon.ts'
import { ownerOf } from './claimant.ts'
import { deliverAudit } from './deliver-audit.ts'
import { describeTrouble } from './describe.ts'
import { giveBack, recordToRelease, type Because, type Progress } from './give-back.ts'
import { mayLetGo, retainsUntil } from './may-let-go.ts'
import { orphan } from './orphan.ts'
import { isSameOwner, type StateRecord } from './state.ts'

/** A backend that was away is found again within this; a failing pass would be asked for less and less often. */
const LOOK_AGAIN_MS = 30_000
const RETAIN_LOOKS_AGAIN_MS = 5_000

interface Waits {
  readonly kind: 'waits'
  readonly error: PalisadeError
}

/** What a pass came to, and the record that it rests on. */
interface Attempt {
  readonly state: Versioned<StateRecord> | undefined
  readonly progress: Progress | Waits
}

/** Gives up what the resource held. What cannot be given back never blocks a deletion for ever. */
export async function release(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  const key = { namespace: rotation.metadata.namespace ?? '', name: rotation.metadata.name }
  deps.metrics.forget(key)
  deps.turns.forget(key)
  if (!hasFinalizer(rotation, FINALIZER)) return REST
  const { state, progress } = await tryToGiveBack(rotation, deps, signal)
  switch (progress.kind) {
    case 'more':
      return AGAIN
    case 'waits':
      return wait(rotation, { state, error: progress.error }, deps, signal)
    case 'orphaned':
      if ((await orphan(rotation, state, progress.because, deps, signal)) === 'again') return AGAIN
      break
    case 'done':
      break
  }
  await deliverLast(rotation, deps, signal)
  await deps.rotations.letGo(rotation)
  return REST
}

/** Retain needs nothing from a backend that stays away; Revoke waits for it as long as it may come back. */
async function tryToGiveBack(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Attempt> {
  let state: Versioned<StateRecord> | undefined
  try {
    state = await recordToRelease(rotation, deps, signal)
    return { state, progress: await giveBack(rotation, state, deps, signal) }
  } catch (error) {
    if (!(error instanceof PalisadeError)) throw error
    // A replica that slept through the release has nothing to judge about it.
    if (error.code === 'ERR_STALE_FENCE' && !deps.isLeader()) throw error
    if (!(await mayLetGo(rotation, error, deps, signal)))
      return { state, progress: { kind: 'waits', error } }
    const { deletionPolicy } = rotation.spec
    const policy: Because['policy'] = isAbandoned(rotation) ? 'Abandoned' : deletionPolicy
    const because = { cause: error.code, detail: error.detail, policy }
    return { state, progress: { kind: 'orphaned', because } }
  }
}

/** No later pass of this resource offers them: what is not taken now waits for a namesake that claims the record. */
async function deliverLast(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const owner = ownerOf(rotation, deps.cluster)
  const state = await answered(deps.states.read(owner, signal))
  if (state && isSameOwner(state.value.owner, owner)) await deliverAudit(state, deps, signal)
}

async function wait(
  rotation: SecretRotation,
  { state, error }: { readonly state: Attempt['state']; readonly error: PalisadeError },
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  const { name, namespace = '' } = rotation.metadata
  const retains = rotation.spec.deletionPolicy === 'Retain'
  deps.metrics.stalled({ namespace, name }, !retains)
  const message = retains
    ? `${error.code}: ${error.detail}. The operator lets go of it all the same at ${new Date(retainsUntil(rotation)).toISOString()}`
    : `The credential is to be revoked and cannot be: ${error.message}. To give it up: ${commandToAbandon(rotation, state?.value)}`
  const standing = {
    ready: 'False',
    reconciling: true,
    stalled: false,
    reason: 'Releasing',
    message,
  } as const
  const status = describeTrouble(rotation, standing, deps.clock.now())
  await deps.rotations.writeStatus(rotation, status, signal)
  return after(retains ? RETAIN_LOOKS_AGAIN_MS : Math.min(deps.timing.resyncMs, LOOK_AGAIN_MS))
}

/** Undefined when the store does not answer, which must not stand in the way here. */
async function answered<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (!(error instanceof PalisadeError)) throw error
    return undefined
  }
}
