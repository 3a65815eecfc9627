import { nextRotation } from '../next-rotation.ts'
import type { Rule } from '../rule.ts'
import type { Observed } from '../observed.ts'
import type { Plan } from '../plan.ts'
import { opensAt } from '../schedule.ts'
import { otherRole, type RotationReason } from '../state.ts'
import { leakToken } from './overlap.ts'

const begin = ({ state }: Observed, why: RotationReason): Plan => ({
  do: 'begin',
  why,
  role: otherRole(state.value),
})

export const rotationIsSuspended: Rule = ({ rotation }, _now, { resyncMs }) =>
  rotation.spec.suspend
    ? {
        do: 'wait',
        reason: 'Suspended',
        message: 'spec.suspend is set; take it out to rotate again',
        ms: resyncMs,
      }
    : undefined

/** Asked before every start: better no rotation than one that stops half-way. */
export const backendIsNotReady: Rule = ({ preflight }, _now, { resyncMs }) =>
  preflight.length === 0
    ? undefined
    : {
        do: 'wait',
        reason: 'PreflightFailed',
        message: preflight.slice(0, 5).join('; '),
        ms: Math.min(resyncMs, 60_000),
        stalled: true,
      }

export const nothingWasIssued: Rule = (seen) =>
  seen.state.value.current === null ? begin(seen, 'FirstIssue') : undefined

export const currentHasLeaked: Rule = (seen) => {
  const leak = leakToken(seen.rotation)
  if (leak === undefined || leak === seen.state.value.lastHandledLeak) return undefined
  return begin(seen, 'Leaked')
}

export const currentIsRefused: Rule = (seen) =>
  seen.currentLogin === 'refused' ? begin(seen, 'CurrentIsRefused') : undefined

export const requestToken = ({ rotation }: Pick<Observed, 'rotation'>): string | undefined =>
  rotation.metadata.annotations?.['palisade.dev/rotate-now']

/** A person asked, so no window is waited for. */
export const rotationIsRequested: Rule = (seen) => {
  const token = requestToken(seen)
  if (token === undefined || token === seen.state.value.lastHandledRotateNow) return undefined
  return begin(seen, 'Requested')
}

/** A due moment that was missed, because the operator was away, waits for the next opening as well. */
export const windowIsClosed: Rule = ({ rotation, state }, now, { resyncMs }) => {
  const due = nextRotation(rotation, state.value.lastRotationTime)
  if (!due || due > now) return undefined
  const opens = opensAt(rotation.spec.schedule, now)
  if (opens && opens <= now) return undefined
  const wait = opens ? Math.min(opens.getTime() - now.getTime(), resyncMs) : resyncMs
  return {
    do: 'wait',
    reason: 'WaitingForWindow',
    message: `Due since ${due.toISOString()}; ${opens ? `the window opens at ${opens.toISOString()}` : 'no window ever opens: correct spec.schedule.windows'}`,
    ms: wait,
  }
}

export const periodHasEnded: Rule = (seen, now) => {
  const due = nextRotation(seen.rotation, seen.state.value.lastRotationTime)
  return due && due <= now ? begin(seen, 'PeriodHasEnded') : undefined
}
