import { parseDuration } from '#core/duration'
import type { Observed } from '../observed.ts'
import { isForced, type InFlight } from '../state.ts'

export const leakToken = (rotation: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
}): string | undefined => rotation.metadata.annotations?.['palisade.dev/leaked']

/** A leak was told that no rotation has taken up yet: the running one has to get out of its way. */
export const leakWaits = ({ rotation, state }: Observed): boolean => {
  const token = leakToken(rotation)
  return token !== undefined && token !== state.value.lastHandledLeak
}

/** Nobody waits for the holders of the previous value. */
export const holdersLose = (seen: Observed, flight: InFlight): boolean =>
  isForced(flight) || leakWaits(seen)

const STAYS_SHUT_MS = 30_000
const STAYS_SHUT_AT_MOST_MS = 600_000

/**
 * The login is closed on the primary; only a session that was open before may be left, on an instance that nobody can
 * reach. Such an instance may be gone for good, and must not keep the next rotation from beginning.
 */
export function sessionsMayStay(seen: Observed, flight: InFlight, now: Date): boolean {
  const { onMax } = seen.rotation.spec.overlap
  const hurries =
    holdersLose(seen, flight) || (onMax === 'Revoke' && overlapIsOver(seen, flight, now))
  const shutFor = now.getTime() - Date.parse(flight.shutOutAt ?? flight.startedAt)
  return shutFor >= (hurries ? STAYS_SHUT_MS : STAYS_SHUT_AT_MOST_MS)
}

/** What a person can do about it who gives up waiting. */
export const OR_REVOKE = 'or set spec.overlap.onMax: Revoke, by which they lose'

export function overlapIsOver({ rotation }: Observed, flight: InFlight, now: Date): boolean {
  const heldFor = now.getTime() - Date.parse(flight.publishedAt ?? now.toISOString())
  return heldFor >= parseDuration(rotation.spec.overlap.max)
}
