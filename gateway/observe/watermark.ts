/** `short`: refusals lose their sources. `closed`: what needs a record is refused. */
export type Watermark = 'below' | 'short' | 'closed'

/**
 * As shares of the volume. The last twentieth belongs to the sealer and to counters, which go on while everything else
 * is refused. A mark is left two points below it: what one checkpoint of the server frees must not open and close the
 * gateway in turns.
 */
const CLOSED = { from: 0.95, until: 0.93 } as const
const SHORT = { from: 0.9, until: 0.88 } as const

/** @param share of the volume that is taken, 0 to 1 and beyond where the volume was given too small */
export function watermarkOf(share: number, before: Watermark): Watermark {
  if (share >= CLOSED.from || (before === 'closed' && share > CLOSED.until)) return 'closed'
  if (share >= SHORT.from || (before !== 'below' && share > SHORT.until)) return 'short'
  return 'below'
}
