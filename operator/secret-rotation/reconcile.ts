import { FINALIZER } from '#api/v1alpha1/names'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps } from '../ports.ts'
import { AGAIN, after, type Next } from '../runtime/controller.ts'
import { hasFinalizer } from '../runtime/finalizer.ts'
import type { ObjectKey } from '../runtime/types.ts'
import { carryOut } from './carry-out.ts'
import { claim } from './claim.ts'
import { decide } from './decide.ts'
import { offerAudit, offerLeftOver } from './deliver-audit.ts'
import { describe, describeTrouble } from './describe.ts'
import { isRefusal, type Refusal } from './eligibility.ts'
import { findBackend, observe } from './observe.ts'
import type { Observed } from './observed.ts'
import { release } from './release.ts'
import { announce, measure } from './report.ts'
import { turnWith } from './rules/turn.ts'
import { standingOfRefusal, troubleOf } from './trouble.ts'

/** One pass, safe to repeat at any moment. */
export async function reconcile(key: ObjectKey, deps: Deps, signal: AbortSignal): Promise<Next> {
  const rotation = await deps.rotations.find(key, signal)
  if (!rotation) {
    deps.metrics.forget(key)
    deps.turns.forget(key)
    return offerLeftOver(key, deps, signal)
  }
  try {
    if (rotation.metadata.deletionTimestamp) return await release(rotation, deps, signal)
    return await pass(rotation, deps, signal)
  } catch (error) {
    deps.turns.leave(key)
    await showTrouble(rotation, error, deps, signal)
    await offerLeftOver(key, deps, signal)
    throw error
  }
}

async function pass(rotation: SecretRotation, deps: Deps, signal: AbortSignal): Promise<Next> {
  const by = await findBackend(rotation, deps, signal)
  if (isRefusal(by)) return refuse(rotation, by, deps, signal)
  // Held before the first outside effect: a deletion must find us, or a credential outlives its resource.
  if (!hasFinalizer(rotation, FINALIZER)) {
    await deps.rotations.hold(rotation)
    return AGAIN
  }
  const held = await claim(by, deps, signal)
  if (held.kind === 'refused') return refuse(rotation, held.refusal, deps, signal)
  if (held.kind === 'acted') return AGAIN

  const read = await observe(by, held, deps, signal)
  const { seen, plan } = decideInTurn(read, by.backend, deps)
  const { outcome, next } = await carryOut(plan, seen, deps, signal)
  // Somebody else went on meanwhile; what this pass believed is not worth telling.
  if (outcome.kind === 'stale') return AGAIN

  const now = deps.clock.now()
  const status = describe(seen, plan, outcome.state.value, now)
  announce(rotation, plan, outcome.state.value, deps)
  measure(rotation, status, outcome.state.value, now, deps)
  await deps.rotations.writeStatus(rotation, status, signal)
  if (next.kind === 'after') await offerAudit(outcome.state, deps, signal)
  return next
}

/** Looked at, decided and noted in one breath: two workers must not both find the last place free. */
function decideInTurn(
  read: Omit<Observed, 'turn'>,
  { metadata: { name }, spec }: RotationBackend,
  deps: Deps,
) {
  const key = keyOf(read.rotation)
  const turn = { ahead: deps.turns.ahead(key, name), limit: spec.maxConcurrent }
  const seen: Observed = { ...read, turn }
  const now = deps.clock.now()
  const plan = decide(seen, now, deps.timing)
  deps.turns.note(key, name, turnWith(plan, seen.state.value, now))
  return { seen, plan }
}

/** Waiting cannot mend it, an edit can; and an edit of another object may, so it is looked at again. */
async function refuse(
  rotation: SecretRotation,
  refusal: Refusal,
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  const standing = standingOfRefusal(refusal, rotation)
  const status = describeTrouble(rotation, standing, deps.clock.now())
  deps.metrics.stalled(keyOf(rotation), true)
  deps.turns.leave(keyOf(rotation))
  await deps.rotations.writeStatus(rotation, status, signal)
  await offerLeftOver(keyOf(rotation), deps, signal)
  return after(deps.timing.resyncMs)
}

async function showTrouble(
  rotation: SecretRotation,
  error: unknown,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const standing = troubleOf(error, rotation)
  if (!standing || signal.aborted) return
  // A replica that slept through a rotation must not write its bewilderment over the truth.
  if (error instanceof PalisadeError && error.code === 'ERR_STALE_FENCE' && !deps.isLeader()) return
  deps.metrics.stalled(keyOf(rotation), standing.stalled)
  const status = describeTrouble(rotation, standing, deps.clock.now())
  await deps.rotations.writeStatus(rotation, status, signal).catch((failure: unknown) => {
    deps.log.warn({ err: failure }, 'Could not write the status')
  })
}

const keyOf = (rotation: SecretRotation): ObjectKey => ({
  namespace: rotation.metadata.namespace ?? '',
  name: rotation.metadata.name,
})
