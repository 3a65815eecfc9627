import type { Deps } from '../ports.ts'
import { AGAIN, after, type Next } from '../runtime/controller.ts'
import { noteQuiet, noteRestart, restart, rollBack } from './effects/consumers.ts'
import { begin, setVerifier, testLogin } from './effects/credential.ts'
import { applySecret, publishSecret, publishValue } from './effects/publication.ts'
import { flightWith, record, type Outcome } from './effects/record.ts'
import {
  complete,
  destroyValue,
  destroyVerifier,
  disable,
  dropPrevious,
  enable,
  terminate,
} from './effects/retirement.ts'
import type { Observed } from './observed.ts'
import type { EffectStep, Plan } from './plan.ts'

export interface CarriedOut {
  readonly outcome: Outcome
  readonly next: Next
}

const STEP: Readonly<
  Record<EffectStep, (deps: Deps, seen: Observed, signal: AbortSignal) => Promise<Outcome>>
> = {
  setVerifier,
  testLogin,
  publishValue,
  publishSecret,
  disable,
  terminate,
  enable,
  destroyVerifier,
  destroyValue,
  dropPrevious,
}

/** At most one outside effect besides the record of it; what follows is the next pass's. */
export async function carryOut(
  plan: Plan,
  seen: Observed,
  deps: Deps,
  signal: AbortSignal,
): Promise<CarriedOut> {
  switch (plan.do) {
    case 'wait':
    case 'keepUp':
      return { outcome: await keepSecret(deps, seen, signal), next: after(plan.ms) }
    case 'begin':
      return atOnce(await begin(deps, seen, plan.why, plan.role, signal))
    case 'noteQuiet':
      return atOnce(await noteQuiet(deps, seen, plan.since, signal))
    case 'noteRestart':
      return atOnce(await noteRestart(deps, seen, plan.workload, signal))
    case 'restart':
      return atOnce(await restart(deps, seen, plan.patch, signal))
    case 'rollBack':
      return atOnce(await rollBack(deps, seen, signal))
    case 'complete':
      return atOnce(await complete(deps, seen, signal))
    case 'goOn': {
      const rotation = flightWith(seen.state.value, {
        step: plan.to,
        ...(plan.to === 'disable' ? { shutOutAt: deps.clock.now().toISOString() } : {}),
        ...(plan.refused ? { refused: plan.refused } : {}),
      })
      return atOnce(await record(deps, seen.state, { rotation }, undefined, signal))
    }
    default:
      return atOnce(await STEP[plan.do](deps, seen, signal))
  }
}

const atOnce = (outcome: Outcome): CarriedOut => ({ outcome, next: AGAIN })

/** A published Secret that somebody edited or deleted comes back; before the first publication there is none. */
async function keepSecret(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { rotation, current, secretSeq } = seen.state.value
  const published = current !== null && (rotation === null || rotation.publishedAt !== undefined)
  if (published) await applySecret(deps, seen, secretSeq, signal)
  return { kind: 'done', state: seen.state }
}
