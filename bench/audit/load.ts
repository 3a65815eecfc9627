import { openLoop } from './arrivals.ts'

/** One part of a run: what was asked to be durable, and how long each took. Times are milliseconds. */
export interface Part {
  readonly records: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

export type Append = (index: number) => Promise<unknown>

/** Appends as fast as `writers` can, one after another each. */
export async function saturate(append: Append, writers: number, seconds: number): Promise<Part> {
  const times: number[] = []
  const begin = performance.now()
  const end = begin + seconds * 1000
  let index = 0
  const write = async () => {
    while (performance.now() < end) {
      const since = performance.now()
      await append(index++)
      times.push(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
  return partOf(times, performance.now() - begin)
}

/** At a fixed rate, from the moment at which each was due. */
export async function atRate(append: Append, perSecond: number, seconds: number): Promise<Part> {
  const { answered } = await openLoop(append, perSecond, seconds)
  return partOf([...answered], seconds * 1000)
}

export function partOf(times: readonly number[], tookMs: number): Part {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN
  const perSecond = (sorted.length * 1000) / tookMs
  return { records: sorted.length, perSecond, p50: at(0.5), p99: at(0.99) }
}
