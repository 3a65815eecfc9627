import { PalisadeError } from '#core/problem'
import type { Deps, WorkloadPatch } from '../../ports.ts'
import type { Observed } from '../observed.ts'
import { effect } from './effect.ts'
import { flightOf, flightWith, record, type Outcome } from './record.ts'

/** The time of the restart is on record before it happens, so that its time limit survives a crash. */
export function noteRestart(
  deps: Deps,
  seen: Observed,
  workload: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const flight = flightOf(state)
  const restarts = { ...flight.restarts, [workload]: deps.clock.now().toISOString() }
  const note = {
    action: 'rotation.restart' as const,
    details: { workload, version: flight.version },
  }
  return record(deps, seen.state, { rotation: flightWith(state, { restarts }) }, note, signal)
}

/** Guarded by the workload's own version: a caller that slept cannot put an older annotation back. */
export async function restart(
  deps: Deps,
  seen: Observed,
  patch: WorkloadPatch,
  signal: AbortSignal,
): Promise<Outcome> {
  const outcome = await effect(deps, 'restartConsumer', () => deps.consumers.patch(patch, signal))
  switch (outcome) {
    case 'patched':
    case 'gone':
      return { kind: 'done', state: seen.state }
    case 'stale':
      return { kind: 'stale' }
    default:
      throw new PalisadeError(
        'ERR_BACKEND_REFUSED',
        `the API server refused to restart ${patch.kind}/${patch.name}: ${outcome.refused}`,
        { remedy: 'let the operator annotate its Pod template, or mend the workload' },
      )
  }
}

/** `undefined` forgets it: a session came back. */
export function noteQuiet(
  deps: Deps,
  seen: Observed,
  since: string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { quietSince: _before, ...rest } = flightOf(seen.state.value)
  const rotation = { ...rest, ...(since === undefined ? {} : { quietSince: since }) }
  return record(deps, seen.state, { rotation }, undefined, signal)
}

/** The old value is published again as a new version; what failed becomes the previous one and is retired. */
export function rollBack(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { value: state } = seen.state
  const flight = flightOf(state)
  const old = seen.previousValue?.issue?.fields.reveal()['password']
  if (!state.previous || old === undefined)
    throw new Error('there is no previous value to return to')
  const rotation = {
    id: flight.id,
    version: flight.version + 1,
    role: state.previous.role,
    reason: 'RolledBack' as const,
    step: 'publishValue' as const,
    startedAt: deps.clock.now().toISOString(),
    specDigest: flight.specDigest,
    pending: old,
  }
  const note = {
    action: 'rotation.begin' as const,
    details: { reason: 'RolledBack', version: rotation.version },
  }
  return record(deps, seen.state, { rotation }, note, signal)
}
