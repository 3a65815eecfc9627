import type { Machine } from '../quiet.ts'
import { spreadOf, spreadText } from '../spread.ts'

export const KINDS = ['bare', 'local', 'redis'] as const
export type Kind = (typeof KINDS)[number]

/** One server under load for one round. */
export interface Run {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Of the server alone, in µs per request: it means the same on a busy machine, where requests/s do not. */
  readonly cpu: number
  /** Calls to Redis per request. */
  readonly redisCalls: number
}

export interface Series {
  readonly connections: number
  readonly runs: Readonly<Record<Kind, readonly Run[]>>
}

export interface TokenRun {
  /** µs of a check whose result is remembered, and of one that verifies the signature. */
  readonly cached: number
  readonly verified: number
}

export interface Measured {
  readonly at: string
  readonly machine: Machine
  readonly tool: string
  readonly redis: string
  readonly load: { readonly before: number; readonly after: number }
  readonly rounds: number
  readonly seconds: number
  readonly series: readonly Series[]
  readonly token: readonly TokenRun[]
}

/** Round by round, so that what slowed a whole round falls out of it. */
export const ratiosToBare = ({ runs }: Series, kind: Kind): number[] =>
  runs[kind].map(({ perSecond }, round) => perSecond / (runs.bare[round]?.perSecond ?? NaN))

export interface Verdict {
  readonly promise: string
  readonly median: number
  readonly isKept: boolean
}

const SHARES: readonly { kind: Kind; connections: number; share: number }[] = [
  { kind: 'local', connections: 1, share: 0.8 },
  { kind: 'local', connections: 64, share: 0.8 },
  { kind: 'redis', connections: 64, share: 0.55 },
]
const TOKEN_MICROS = 3

/** What was promised, against the medians. */
export function verdictsOf({ series, token }: Measured): Verdict[] {
  const shares = SHARES.flatMap(({ kind, connections, share }) =>
    series
      .filter((one) => one.connections === connections)
      .map((one): Verdict => {
        const { median } = spreadOf(ratiosToBare(one, kind))
        const promise = `${kind} limiter at ${connections}: at least ${percent(share)} of bare Fastify`
        return { promise, median, isKept: median >= share }
      }),
  )
  const { median } = spreadOf(token.map(({ cached }) => cached))
  const promise = `token check, cached: at most ${TOKEN_MICROS} µs`
  return [...shares, { promise, median, isKept: median <= TOKEN_MICROS }]
}

export function markdownOf(measured: Measured): string {
  const { machine, load, rounds, seconds, series, token } = measured
  const of = (runs: readonly TokenRun[], key: keyof TokenRun): string =>
    spreadText(
      runs.map((run) => run[key]),
      (n) => `${n.toFixed(2)} µs`,
    )
  return [
    '# Gateway beside bare Fastify',
    '',
    `${measured.at.slice(0, 10)}, commit ${machine.commit}: ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, ${measured.redis}. Load tool: ${measured.tool}, on the same cores. Load before ${load.before.toFixed(2)}, after ${load.after.toFixed(2)}.`,
    '',
    `${rounds} interleaved rounds of ${seconds} s. Both sides send the same headers and the same body; the gateway also checks an access token and takes from two limits. Ratios are of the same round. Nothing is written to disk.`,
    '',
    '| server | connections | requests/s, median (range) | of bare, median (range) | p50 ms | p99 ms | CPU µs per request | calls to Redis per request |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...series.flatMap((one) => KINDS.map((kind) => rowOf(one, kind))),
    '',
    `Access token: cached ${of(token, 'cached')}; signature verified ${of(token, 'verified')}.`,
    '',
    '| promise | measured | kept |',
    '| --- | --- | --- |',
    ...verdictsOf(measured).map(
      ({ promise, median, isKept }) =>
        `| ${promise} | ${promise.endsWith('µs') ? `${median.toFixed(2)} µs` : percent(median)} | ${isKept ? 'yes' : '**no**'} |`,
    ),
    '',
  ].join('\n')
}

function rowOf(series: Series, kind: Kind): string {
  const runs = series.runs[kind]
  const median = (key: keyof Run): number => spreadOf(runs.map((run) => run[key])).median
  const cells = [
    kind,
    series.connections,
    spreadText(
      runs.map(({ perSecond }) => perSecond),
      (n) => n.toFixed(0),
    ),
    kind === 'bare' ? '' : spreadText(ratiosToBare(series, kind), percent),
    millis(median('p50')),
    millis(median('p99')),
    median('cpu').toFixed(1),
    median('redisCalls').toFixed(2),
  ]
  return `| ${cells.join(' | ')} |`
}

/** The load tool counts whole milliseconds. */
const millis = (median: number): string => (median < 1 ? '<1' : median.toFixed(0))

const percent = (ratio: number): string => `${(ratio * 100).toFixed(0)} %`
