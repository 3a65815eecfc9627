import { FINALIZER } from '#api/v1alpha1/names'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps } from '../ports.ts'
import { AGAIN, after, REST, type Next } from '../runtime/controller.ts'
import { hasFinalizer } from '../runtime/finalizer.ts'
import { commandToAbandon, isAbandoned } from './abandon.ts'
import { ownerOf } from './claim.ts'
import { deliverAudit } from './deliver-audit.ts'
import { describeTrouble } from './describe.ts'
import { giveBack, recordToRelease, type Progress } from './give-back.ts'
import { orphan } from './orphan.ts'
import { isSameOwner } from './state.ts'

const TERMINATING_LIMIT_MS = 600_000
/** A backend that was away is found again within this; a failing pass would be asked for less and less often. */
const LOOK_AGAIN_MS = 30_000

/** Gives up what the resource held. What cannot be given back never blocks a deletion for ever. */
export async function release(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  const key = { namespace: rotation.metadata.namespace ?? '', name: rotation.metadata.name }
  deps.metrics.forget(key)
  if (!hasFinalizer(rotation, FINALIZER)) return REST
  const progress = await tryToGiveBack(rotation, deps, signal)
  switch (progress.kind) {
    case 'more':
      return AGAIN
    case 'waits':
      deps.metrics.stalled(key, true)
      await explainWaiting(rotation, progress.error, deps, signal)
      return after(Math.min(deps.timing.resyncMs, LOOK_AGAIN_MS))
    case 'orphaned':
      if ((await orphan(rotation, progress.because, deps, signal)) === 'again') return AGAIN
      break
    case 'done':
      break
  }
  await deliverLast(rotation, deps, signal)
  await deps.rotations.letGo(rotation)
  return REST
}

/** Retain needs nothing from a backend that does not answer; Revoke waits for it as long as it may come back. */
async function tryToGiveBack(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Progress | { readonly kind: 'waits'; readonly error: PalisadeError }> {
  try {
    return await giveBack(rotation, deps, signal)
  } catch (error) {
    if (!(error instanceof PalisadeError)) throw error
    const { deletionPolicy: policy } = rotation.spec
    if (policy === 'Revoke' && !(await mayLetGo(rotation, deps, signal))) {
      return { kind: 'waits', error }
    }
    const given = isAbandoned(rotation) ? 'Abandoned' : policy
    return {
      kind: 'orphaned',
      because: { cause: error.code, detail: error.detail, policy: given },
    }
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

/** The backend was taken away, the namespace has been going for long, or a person gave up. */
async function mayLetGo(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  if (isAbandoned(rotation)) return true
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
  const state = await answered(recordToRelease(rotation, deps, signal))
  const giveUp = commandToAbandon(rotation, state?.value)
  const standing = {
    ready: 'False',
    reconciling: true,
    stalled: false,
    reason: 'Releasing',
    message: `The credential is to be revoked and cannot be: ${error.message}. To give it up: ${giveUp}`,
  } as const
  const status = describeTrouble(rotation, standing, deps.clock.now())
  await deps.rotations.writeStatus(rotation, status, signal)
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
