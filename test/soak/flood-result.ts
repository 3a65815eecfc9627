import { QUIET_LOAD, type Machine } from '../../bench/quiet.ts'

export interface FloodResult {
  readonly date: string
  readonly machine: Machine
  readonly loadBefore: number
  readonly seconds: number
  readonly connections: number
  readonly sources: number
  readonly readsPerSecond: number
  /** Answers to the flood by status. */
  readonly answers: Readonly<Record<string, number>>
  /** Most rows of counters in one minute, and records of counted refusals. */
  readonly rows: number
  readonly records: number
  readonly minutes: number
  readonly before: Served
  readonly during: Served
  /** What did not hold, each as a sentence. */
  readonly failures: readonly string[]
}

/** The one who has a good token, in ms, and the gateway's share of one processor. */
export interface Served {
  readonly p50: number
  readonly p99: number
  readonly most: number
  readonly cpu: number
}

export function floodPage(result: FloodResult): string {
  const { machine, before, during, failures } = result
  const total = Object.values(result.answers).reduce((sum, count) => sum + count, 0)
  const statuses = Object.entries(result.answers).map(([status, count]) => `${status}: ${count}`)
  const ms = (value: number) => value.toFixed(1)
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const change = (share: 'p50' | 'p99') => percent(during[share] / before[share] - 1)
  const busy =
    result.loadBefore > QUIET_LOAD
      ? ' The machine did other work all the time: the latencies say more of that than of the flood, the processor time does not.'
      : ''
  return [
    '# Flooding a gateway',
    '',
    'Written by `make soak ARGS="--flood"`.',
    '',
    `${result.seconds} s of forged tokens at full speed on ${result.connections} connections, from ${result.sources} addresses, to one gateway; beside it one client with a good token that reads a secret ${result.readsPerSecond} times a second at fixed times. Latency counts from the time at which a request was to be sent. Gateway, sealer, PostgreSQL, flood and client share the machine.${busy}`,
    '',
    `${result.date}, commit ${machine.commit}; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, load before ${result.loadBefore}.`,
    '',
    '| | before | during | change |',
    '| --- | --- | --- | --- |',
    `| read, median, ms | ${ms(before.p50)} | ${ms(during.p50)} | ${change('p50')} |`,
    `| read, 99th percentile, ms | ${ms(before.p99)} | ${ms(during.p99)} | ${change('p99')} |`,
    `| read, longest, ms | ${ms(before.most)} | ${ms(during.most)} | |`,
    `| the gateway's share of one processor | ${percent(before.cpu)} | ${percent(during.cpu)} | |`,
    '',
    '| | |',
    '| --- | --- |',
    `| requests of the flood | ${total} (${statuses.join(', ')}) |`,
    `| rows of counters in a minute, at most | ${result.rows} |`,
    `| records of counted refusals | ${result.records} in ${result.minutes} minutes |`,
    `| what did not hold | ${failures.length === 0 ? 'nothing' : failures.join('; ')} |`,
    '',
  ].join('\n')
}
