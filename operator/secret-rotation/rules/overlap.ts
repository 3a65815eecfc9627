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

export function overlapIsOver({ rotation }: Observed, flight: InFlight, now: Date): boolean {
  const heldFor = now.getTime() - Date.parse(flight.publishedAt ?? now.toISOString())
  return heldFor >= parseDuration(rotation.spec.overlap.max)
}
