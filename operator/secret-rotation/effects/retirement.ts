import type { Deps, FencedOutcome, Fence } from '../../ports.ts'
import type { AuditAction } from '../audit-outbox.ts'
import type { Observed } from '../observed.ts'
import type { InFlight, Issued, StateRecord, Step } from '../state.ts'
import { sessionsMayStay } from '../rules/overlap.ts'
import { accepted, fenceOf, insist } from './credential.ts'
import { effect, type Effect } from './effect.ts'
import { applySecret } from './publication.ts'
import { flightOf, flightWith, record, type Outcome } from './record.ts'
import { sessionsLeft, silentIn } from './silence.ts'

function previousOf(state: StateRecord): Issued {
  if (!state.previous) throw new Error('there is no previous value')
  return state.previous
}

interface FencedStep {
  readonly effect: Effect
  readonly act: (role: string, fence: Fence) => Promise<FencedOutcome>
  readonly then: Step
  readonly audit?: AuditAction
  readonly change?: Partial<InFlight>
}

async function fencedStep(
  deps: Deps,
  seen: Observed,
  step: FencedStep,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const { role, version } = previousOf(state)
  const fence = fenceOf(state, role)
  insist(await effect(deps, step.effect, () => step.act(role, fence)), role, state)
  const rotation = flightWith(state, { ...step.change, step: step.then })
  const note = step.audit ? { action: step.audit, details: { role, version } } : undefined
  return record(deps, seen.state, { rotation, ...accepted(state, role, fence) }, note, signal)
}

/** First act of retirement, and reversible: the verifier stays. */
export const disable = (deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> =>
  fencedStep(
    deps,
    seen,
    {
      effect: 'disableLogin',
      act: (role, fence) => seen.database.disable(role, fence),
      then: 'terminate',
      audit: 'rotation.disable',
    },
    signal,
  )

/** NOLOGIN stops new sessions only; the ones that are open outlive it. */
export async function terminate(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { value: state } = seen.state
  const { role, version } = previousOf(state)
  const fence = fenceOf(state, role)
  const ended = await effect(deps, 'terminateSessions', () => seen.database.terminate(role, fence))
  insist(ended, role, state)
  const now = deps.clock.now()
  const silent = silentIn(ended)
  if (silent.length > 0 && !sessionsMayStay(seen, flightOf(state), now))
    throw sessionsLeft(role, silent)
  const unreached = silent.map(({ instance }) => instance)
  const rotation = flightWith(state, {
    step: 'watch',
    disabledAt: now.toISOString(),
    ...(unreached.length > 0 ? { unreached } : {}),
  })
  const cause = 'ERR_BACKEND_UNREACHABLE'
  const note = {
    action: 'rotation.disable' as const,
    details: { role, version, step: 'Terminate', cause },
  }
  return record(deps, seen.state, { rotation }, unreached.length > 0 ? note : undefined, signal)
}

/** Back to waiting for evidence, with what was believed before forgotten. */
export async function enable(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { value: state } = seen.state
  const { role, version } = previousOf(state)
  const fence = fenceOf(state, role)
  insist(await effect(deps, 'enableLogin', () => seen.database.enable(role, fence)), role, state)
  const {
    quietSince: _quiet,
    disabledAt: _disabled,
    shutOutAt: _out,
    unreached: _silent,
    ...rest
  } = flightOf(state)
  const note = { action: 'rotation.enable-again' as const, details: { role, version } }
  const rotation = { ...rest, step: 'converge' as const }
  return record(deps, seen.state, { rotation, ...accepted(state, role, fence) }, note, signal)
}

/** Second act: from here on the old value opens nothing, for good. */
export const destroyVerifier = (
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> =>
  fencedStep(
    deps,
    seen,
    {
      effect: 'destroyVerifier',
      act: (role, fence) => seen.database.destroyVerifier(role, fence),
      then: 'destroyValue',
      audit: 'rotation.destroy',
    },
    signal,
  )

export async function destroyValue(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const { storeVersion } = previousOf(state)
  const { namespace } = state.owner
  const { storePath } = state.claim
  await effect(deps, 'destroyValue', () =>
    deps.values.destroy(namespace, storePath, storeVersion, signal),
  )
  const rotation = flightWith(state, { step: 'dropPrevious' })
  return record(deps, seen.state, { rotation, secretSeq: state.seq + 1 }, undefined, signal)
}

/** The Secret loses the old keys under the same version, so that nobody is restarted for it. */
export async function dropPrevious(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> {
  await applySecret(deps, { ...seen, previousValue: undefined }, seen.state.value.secretSeq, signal)
  return complete(deps, seen, signal)
}

export function complete(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { version, role, id } = flightOf(seen.state.value)
  const note = { action: 'rotation.complete' as const, details: { version, role, rotation: id } }
  return record(deps, seen.state, { rotation: null, previous: null }, note, signal)
}
