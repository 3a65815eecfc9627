import type { Holder } from '#api/v1alpha1/secret-rotation-status'
import { parseDuration } from '#core/duration'
import type { SessionsSeen } from '../../ports.ts'
import type { Rule } from '../rule.ts'
import { labelOf, type Standing } from '../evidence.ts'
import type { Plan } from '../plan.ts'
import type { Observed } from '../observed.ts'
import { isForced, type InFlight } from '../state.ts'
import { holdersOf, namesOf } from './holders.ts'
import { leakWaits, OR_REVOKE, overlapIsOver } from './overlap.ts'
import { nextRestart, standingsOf } from './consumers.ts'

/** The first value has nothing to replace, so there is nothing to wait for. */
export const nobodyHasThePrevious: Rule = ({ state }) => {
  const { rotation, previous } = state.value
  return rotation?.step === 'converge' && previous === null ? { do: 'complete' } : undefined
}

const RESISTS_AFTER_MS = 30_000

/** Tells every consumer to restart at once and then shuts the old user out, whoever still holds it. */
export const haste: Rule = (seen, now) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'converge') return undefined
  if (leakWaits(seen) && !isForced(flight)) {
    return {
      do: 'goOn',
      to: 'disable',
      note: 'the current value leaked: the holders of the previous one lose',
    }
  }
  if (!isForced(flight)) return undefined
  // A workload that may not be restarted must not keep a leaked value open: it is asked for a while and then loses.
  const resists = ({ consumer }: Standing) => {
    const toldAt = flight.restarts?.[labelOf(consumer)]
    return toldAt !== undefined && now.getTime() - Date.parse(toldAt) > RESISTS_AFTER_MS
  }
  const behind = standingsOf(seen, flight, now).filter(
    (standing) => standing.lacks !== undefined && !resists(standing),
  )
  const restart = nextRestart(seen, flight, behind, now)
  if (restart && restart.do !== 'wait') return restart
  return { do: 'goOn', to: 'disable', note: `no overlap: ${flight.reason}` }
}

const NOBODY: SessionsSeen = { sessions: [], silent: [] }

/** Only the backend sees consumers outside the cluster, so its word is needed whatever the pods look like. */
export const previousStillInUse: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  const { sessions } = seen.sessions ?? NOBODY
  if (flight?.step !== 'converge' || sessions.length === 0) return undefined
  if (flight.quietSince !== undefined) return { do: 'noteQuiet', since: undefined }
  const holders = holdersOf(sessions, seen.consumers)
  const names = namesOf(holders)
  const role = seen.state.value.previous?.role ?? ''
  const message = `${names} still connected as ${role}`
  const wait: Plan = { do: 'wait', reason: 'PreviousStillInUse', message, ms: pollMs, holders }
  const { max, onMax } = seen.rotation.spec.overlap
  if (!overlapIsOver(seen, flight, now)) return wait
  if (onMax === 'Revoke') {
    return {
      do: 'goOn',
      to: 'disable',
      note: `overlap.max (${max}) is over; holders lose: ${names}`,
    }
  }
  const overdue = `${message} after ${max}; restart or end it, ${OR_REVOKE}`
  return { ...wait, reason: 'OverlapEnded', message: overdue, stalled: true }
}

/** No answer is not the answer that nobody is there. */
export const instanceIsSilent: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  const { silent } = seen.sessions ?? NOBODY
  if (flight?.step !== 'converge' || silent.length === 0) return undefined
  if (flight.quietSince !== undefined) return { do: 'noteQuiet', since: undefined }
  const role = seen.state.value.previous?.role ?? ''
  const { max, onMax } = seen.rotation.spec.overlap
  const message = `No answer from ${silent.join(', ')}, so its sessions of ${role} are unknown`
  const wait: Plan = { do: 'wait', reason: 'SessionsUnknown', message, ms: pollMs }
  if (!overlapIsOver(seen, flight, now)) return wait
  if (onMax === 'Revoke') return { do: 'goOn', to: 'disable', note: `${message}; ${max} are over` }
  const overdue = `${message} after ${max}; bring it back, ${OR_REVOKE}`
  return { ...wait, reason: 'OverlapEnded', message: overdue, stalled: true }
}

/** Each time that it had to be let in again, the previous user is left alone for twice as long. */
const LONGEST_QUIET_MS = 3_600_000
function quietFor(quiet: string, { refused }: InFlight): number {
  const once = parseDuration(quiet)
  return Math.max(once, Math.min(LONGEST_QUIET_MS, once * 2 ** (refused?.times ?? 0)))
}

export const quietHasLasted: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'converge') return undefined
  if (flight.quietSince === undefined) return { do: 'noteQuiet', since: now.toISOString() }
  const { quiet } = seen.rotation.spec.overlap
  const left = quietFor(quiet, flight) - (now.getTime() - Date.parse(flight.quietSince))
  if (left <= 0)
    return { do: 'goOn', to: 'disable', note: `no session of the previous user for ${quiet}` }
  const ms = Math.min(left, pollMs)
  if (flight.refused) return waitForRefused(seen, flight, flight.refused.holders, now, ms)
  const message = `Waiting until the previous user has had no session for ${quiet}`
  return { do: 'wait', reason: 'Rotating', message, ms }
}

/** Between two looks such a client shows no session, so who it was is told until the user is disabled again. */
function waitForRefused(
  seen: Observed,
  flight: InFlight,
  holders: readonly Holder[],
  now: Date,
  ms: number,
): Plan {
  const { max } = seen.rotation.spec.overlap
  const role = seen.state.value.previous?.role ?? ''
  const message = `${namesOf(holders)} was refused as ${role}, which may log in again for now`
  const wait: Plan = { do: 'wait', reason: 'PreviousUserRefused', message, ms, holders }
  if (!overlapIsOver(seen, flight, now)) return wait
  const overdue = `${message}; ${max} are over: give it the current value, ${OR_REVOKE}`
  return { ...wait, reason: 'OverlapEnded', message: overdue, stalled: true }
}
