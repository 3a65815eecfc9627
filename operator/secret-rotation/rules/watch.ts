import { parseDuration } from '#core/duration'
import type { Rule } from '../rule.ts'
import { fallen, labelOf } from '../evidence.ts'
import { isForced } from '../state.ts'

/** Somebody needed the old user after all: let it in again, and look for who it was. */
export const consumerFellOver: Rule = ({ consumers, state }, now, { pollMs }) => {
  const flight = state.value.rotation
  if (flight?.step !== 'watch' || isForced(flight)) return undefined
  const victim = fallen(consumers, now, 4 * pollMs)
  if (!victim) return undefined
  return { do: 'goOn', to: 'enable', note: `${labelOf(victim.consumer)}: ${victim.why}` }
}

export const watchHasEnded: Rule = ({ rotation, state }, now, { pollMs }) => {
  const flight = state.value.rotation
  if (flight?.step !== 'watch') return undefined
  const { min } = rotation.spec.overlap
  const watched = now.getTime() - Date.parse(flight.disabledAt ?? now.toISOString())
  const left = isForced(flight) ? 0 : parseDuration(min) - watched
  if (left <= 0)
    return { do: 'goOn', to: 'destroyVerifier', note: `disabled for ${min} without a fault` }
  return {
    do: 'wait',
    reason: 'Rotating',
    message: `The previous user is disabled and watched for ${min}`,
    ms: Math.min(left, pollMs),
  }
}
