import type { Observed } from '../observed.ts'
import type { Rule } from '../rule.ts'
import type { Plan } from '../plan.ts'
import type { StateRecord, Step } from '../state.ts'
import type { TurnStanding } from '../turns.ts'

const LOOK_AGAIN_MS = 60_000

/** A thousand behind it, each of which asks its database, would be a load of their own. */
const mayBeFirst = ({ ahead, limit }: Observed['turn']): boolean => ahead < 2 * limit

/** A rotation that nothing forces begins when the backend has room for it; one that runs is never asked. */
export const inTurn =
  (rule: Rule): Rule =>
  (seen, now, timing) => {
    const plan = rule(seen, now, timing)
    const { ahead, limit } = seen.turn
    if (plan?.do !== 'begin' || ahead < limit) return plan
    const { name } = seen.source.connectionRef
    const many = limit === 1 ? 'one rotation moves' : `${limit} rotations move`
    return {
      do: 'wait',
      reason: 'WaitingForTurn',
      message: `Waits for others, first come, first served: ${many} at a time at RotationBackend "${name}" (spec.maxConcurrent)`,
      // Whoever gives way calls the first in line; that one looks also for those that only grow old.
      ms: mayBeFirst(seen.turn) ? Math.min(timing.resyncMs, LOOK_AGAIN_MS) : timing.resyncMs,
    }
  }

const BEFORE_CONSUMERS: readonly Step[] = [
  'setVerifier',
  'testLogin',
  'publishValue',
  'publishSecret',
]

/**
 * A rotation moves until its consumers have switched and the previous user has fallen silent. What comes then is
 * waiting, for as long as the team wishes: it must not hold up the rotations of other teams. The first value replaces
 * nothing and moves nobody.
 */
export function turnWith(plan: Plan, { rotation: flight }: StateRecord, now: Date): TurnStanding {
  if (plan.do === 'begin') {
    return plan.why === 'FirstIssue' ? { is: 'resting' } : { is: 'moving', since: now.getTime() }
  }
  if (plan.do === 'wait' && plan.reason === 'WaitingForTurn') return { is: 'waiting' }
  if (!flight || flight.reason === 'FirstIssue') return { is: 'resting' }
  const moves =
    BEFORE_CONSUMERS.includes(flight.step) ||
    (flight.step === 'converge' && flight.quietSince === undefined)
  return moves ? { is: 'moving', since: Date.parse(flight.startedAt) } : { is: 'resting' }
}
