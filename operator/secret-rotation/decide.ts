import type { Observed } from './observed.ts'
import { nextRotation } from './next-rotation.ts'
import type { Plan } from './plan.ts'
import type { DecideTiming, Rule } from './rule.ts'
import { consumersLagBehind, consumerIsUnhealthy } from './rules/consumers.ts'
import {
  backendIsNotReady,
  currentIsRefused,
  currentHasLeaked,
  nothingWasIssued,
  periodHasEnded,
  rotationIsRequested,
  rotationIsSuspended,
  windowIsClosed,
} from './rules/begin.ts'
import {
  haste,
  instanceIsSilent,
  nobodyHasThePrevious,
  previousStillInUse,
  quietHasLasted,
} from './rules/retire.ts'
import { consumerFellOver, previousWasRefused, watchHasEnded } from './rules/watch.ts'
import { stepIsDue, suspendedBeforePublication } from './rules/steps.ts'
import { inTurn } from './rules/turn.ts'

/** The first rule with an answer wins, so the order is the policy. */
export const RULES: readonly Rule[] = [
  suspendedBeforePublication,
  stepIsDue, // an intent is on record: carry it out before anything else is thought of
  // A value is published and its consumers move.
  nobodyHasThePrevious,
  haste, // leaked or refused: nobody waits for evidence
  consumerIsUnhealthy,
  consumersLagBehind,
  previousStillInUse,
  instanceIsSilent,
  quietHasLasted,
  // The previous user is disabled.
  previousWasRefused,
  consumerFellOver,
  watchHasEnded,
  // Between two rotations.
  rotationIsSuspended,
  backendIsNotReady,
  nothingWasIssued,
  currentHasLeaked,
  currentIsRefused, // before the period: an unusable value is not worth its remaining time
  inTurn(rotationIsRequested),
  windowIsClosed,
  inTurn(periodHasEnded),
]

export function decide(seen: Observed, now: Date, timing: DecideTiming): Plan {
  for (const rule of RULES) {
    const plan = rule(seen, now, timing)
    if (plan) return plan
  }
  return { do: 'keepUp', ms: untilNext(seen, now, timing) }
}

function untilNext({ rotation, state }: Observed, now: Date, { resyncMs }: DecideTiming): number {
  const due = nextRotation(rotation, state.value.lastRotationTime)
  return due ? Math.max(0, Math.min(resyncMs, due.getTime() - now.getTime())) : resyncMs
}
