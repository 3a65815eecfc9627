/** Time is an argument everywhere, so that a rule about 10:59 can be tested without waiting for it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still at one instant. */
export function fixedClock(iso: string): Clock {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) throw new RangeError(`not an ISO 8601 time: ${iso}`)
  return { now: () => new Date(at) }
}
