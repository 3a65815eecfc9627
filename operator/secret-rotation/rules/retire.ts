import type { Holder } from '#api/v1alpha1/secret-rotation-status'
import { parseDuration } from '#core/duration'
import type { Consumer, DatabaseSession } from '../../ports.ts'
import type { Rule } from '../rule.ts'
import { labelOf, type Standing } from '../evidence.ts'
import type { Plan } from '../plan.ts'
import { isForced } from '../state.ts'
import { leakWaits, overlapIsOver } from './overlap.ts'
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

/** Only the backend sees consumers outside the cluster, so its word is needed whatever the pods look like. */
export const previousStillInUse: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  const sessions = seen.sessions ?? []
  if (flight?.step !== 'converge' || sessions.length === 0) return undefined
  if (flight.quietSince !== undefined) return { do: 'noteQuiet', since: undefined }
  const holders = holdersOf(sessions, seen.consumers)
  const names = holders.map(({ pod, address }) => (pod ? `pod ${pod}` : address)).join(', ')
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
  return { ...wait, reason: 'OverlapEnded', message: `${message} after ${max}`, stalled: true }
}

export const quietHasLasted: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'converge') return undefined
  if (flight.quietSince === undefined) return { do: 'noteQuiet', since: now.toISOString() }
  const { quiet } = seen.rotation.spec.overlap
  const left = parseDuration(quiet) - (now.getTime() - Date.parse(flight.quietSince))
  if (left <= 0)
    return { do: 'goOn', to: 'disable', note: `no session of the previous user for ${quiet}` }
  const message = `Waiting until the previous user has had no session for ${quiet}`
  return { do: 'wait', reason: 'Rotating', message, ms: Math.min(left, pollMs) }
}

export function holdersOf(
  sessions: readonly DatabaseSession[],
  consumers: readonly Consumer[],
): readonly Holder[] {
  const pods = new Map(
    consumers.flatMap(({ pods }) =>
      pods.flatMap((pod) => (pod.address ? [[pod.address, pod.name]] : [])),
    ) as [string, string][],
  )
  const byAddress = new Map<string, DatabaseSession[]>()
  for (const session of sessions) {
    byAddress.set(session.address, [...(byAddress.get(session.address) ?? []), session])
  }
  return [...byAddress].slice(0, 20).map(([address, held]) => {
    const pod = pods.get(address)
    const application = held[0]?.application
    return {
      address,
      ...(pod === undefined ? {} : { pod }),
      ...(application ? { application: application.slice(0, 128) } : {}),
      sessions: held.length,
    }
  })
}
