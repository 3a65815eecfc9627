import type { Timings } from './arrivals.ts'

/** Milliseconds. */
export interface Latencies {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly longest: number
}

/** Where the time of the slowest hundredth went, on average; milliseconds. */
export interface SlowestHundredth {
  /** Sent late: the generator's own, not the gateway's. */
  readonly generator: number
  /** Until the event loop took it up. */
  readonly eventLoop: number
  /** Records, connection, database. */
  readonly call: number
}

/** Nearest rank: the value that this share of all do not exceed. */
export function latenciesOf(times: Iterable<number>): Latencies {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
  return {
    count: sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    longest: at(1),
  }
}

export function slowestOf(rounds: readonly Timings[]): SlowestHundredth {
  const parts = rounds.flatMap(({ sent, taken, answered }) =>
    Array.from(answered, (whole, i) => {
      const [generator = NaN, until = NaN] = [sent[i], taken[i]]
      return { whole, generator, eventLoop: until - generator, call: whole - until }
    }),
  )
  const slow = parts
    .sort((a, b) => b.whole - a.whole)
    .slice(0, Math.max(1, Math.floor(parts.length / 100)))
  const mean = (of: (part: SlowestHundredth) => number) =>
    slow.reduce((sum, part) => sum + of(part), 0) / slow.length
  return {
    generator: mean(({ generator }) => generator),
    eventLoop: mean(({ eventLoop }) => eventLoop),
    call: mean(({ call }) => call),
  }
}
