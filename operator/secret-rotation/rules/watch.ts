import { parseDuration } from '#core/duration'
import type { Rule } from '../rule.ts'
import { fallen, labelOf } from '../evidence.ts'
import { namesOf, refusedHolders } from './holders.ts'
import { holdersLose, overlapIsOver } from './overlap.ts'

/** A client came with the previous value and was turned away: the backend's word that somebody still holds it. */
export const previousWasRefused: Rule = (seen, now) => {
  const { rotation: flight, previous } = seen.state.value
  if (flight?.step !== 'watch' || holdersLose(seen, flight)) return undefined
  if (seen.rotation.spec.overlap.onMax === 'Revoke' && overlapIsOver(seen, flight, now))
    return undefined
  const clients = seen.refusals?.kind === 'seen' ? seen.refusals.clients : []
  if (clients.length === 0) return undefined
  const holders = refusedHolders(clients, seen.consumers)
  const times = (flight.refused?.times ?? 0) + 1
  const note = `${previous?.role ?? ''} was asked for by ${namesOf(holders)}`
  return { do: 'goOn', to: 'enable', note, refused: { times, holders } }
}

/** Somebody needed the old user after all: let it in again, and look for who it was. */
export const consumerFellOver: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'watch' || holdersLose(seen, flight)) return undefined
  // It was shut out for exactly this; letting it in would only shut it out again.
  const revoked = seen.rotation.spec.overlap.onMax === 'Revoke' && overlapIsOver(seen, flight, now)
  if (revoked) return undefined
  const victim = fallen(seen.consumers, now, 4 * pollMs)
  if (!victim) return undefined
  return { do: 'goOn', to: 'enable', note: `${labelOf(victim.consumer)}: ${victim.why}` }
}

export const watchHasEnded: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'watch') return undefined
  const { min } = seen.rotation.spec.overlap
  const watched = now.getTime() - Date.parse(flight.disabledAt ?? now.toISOString())
  const left = holdersLose(seen, flight) ? 0 : parseDuration(min) - watched
  if (left <= 0)
    return { do: 'goOn', to: 'destroyVerifier', note: `disabled for ${min} without a fault` }
  return {
    do: 'wait',
    reason: 'Rotating',
    message: `The previous user is disabled and watched for ${min}`,
    ms: Math.min(left, pollMs),
  }
}
