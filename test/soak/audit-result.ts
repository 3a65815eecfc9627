import type { Machine } from '../../bench/quiet.ts'

export interface AuditKills {
  readonly asked: number
  readonly killed: number
  readonly acknowledged: number
  readonly records: number
  readonly deadlocks: number
  readonly minutes: number
  /** What did not hold, each as a sentence. */
  readonly failures: readonly string[]
}

export interface FloodFigures {
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
  /** Of the one who has a good token, in ms. */
  readonly before: Latency
  readonly during: Latency
  readonly failures: readonly string[]
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

export interface AuditSoak {
  readonly date: string
  readonly machine: Machine
  readonly loadBefore: number
  readonly seed: number
  readonly kills: AuditKills
  readonly flood: FloodFigures
}

/** The time of others is told and not judged here: on a busy machine it says more of the machine. */
export const isWhole = ({ kills, flood }: AuditSoak): boolean =>
  kills.killed === kills.asked && kills.failures.length === 0 && flood.failures.length === 0

export function auditPage(soak: AuditSoak): string {
  const { machine, kills, flood, seed } = soak
  const ms = (value: number) => value.toFixed(1)
  const ratio = (share: 'p50' | 'p99') =>
    `${((flood.during[share] / flood.before[share] - 1) * 100).toFixed(0)} %`
  const total = Object.values(flood.answers).reduce((sum, count) => sum + count, 0)
  const failures = [...kills.failures, ...flood.failures]
  return [
    '# Killing gateways and sealers, and flooding a gateway',
    '',
    'Written by `make soak`; the same order again: ' +
      `\`make soak ARGS="--audit --kills ${kills.asked} --seed ${seed}"\`.`,
    '',
    `${soak.date}, commit ${machine.commit}; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, load before ${soak.loadBefore}.`,
    '',
    '## Kills',
    '',
    'Three gateways and two sealers, each a process, on one PostgreSQL; eight clients write and read, and ask again under the same idempotency key until they are answered. One process after another is ended by SIGKILL and started again. Then each answer with 2xx is looked for in the log, and the log is verified with every line that a gateway printed and every checkpoint that was ever published.',
    '',
    '| | |',
    '| --- | --- |',
    `| processes killed | ${kills.killed} of ${kills.asked} |`,
    `| actions acknowledged | ${kills.acknowledged} |`,
    `| records in the log | ${kills.records} |`,
    `| deadlocks | ${kills.deadlocks} |`,
    `| what did not hold | ${failures.length === 0 ? 'nothing' : failures.join('; ')} |`,
    `| minutes | ${kills.minutes.toFixed(1)} |`,
    '',
    '## Flood',
    '',
    `${flood.seconds} s of forged tokens at full speed on ${flood.connections} connections, from ${flood.sources} addresses, to one gateway; beside it one client with a good token that reads a secret ${flood.readsPerSecond} times a second at fixed times. Latency counts from the time at which a request was to be sent. Gateway, sealer, PostgreSQL, flood and client share the machine.`,
    '',
    '| | before | during | change |',
    '| --- | --- | --- | --- |',
    `| read, median, ms | ${ms(flood.before.p50)} | ${ms(flood.during.p50)} | ${ratio('p50')} |`,
    `| read, 99th percentile, ms | ${ms(flood.before.p99)} | ${ms(flood.during.p99)} | ${ratio('p99')} |`,
    `| read, longest, ms | ${ms(flood.before.most)} | ${ms(flood.during.most)} | |`,
    '',
    '| | |',
    '| --- | --- |',
    `| requests of the flood | ${total} (${Object.entries(flood.answers)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}) |`,
    `| rows of counters in a minute, at most | ${flood.rows} |`,
    `| records of counted refusals, in minutes | ${flood.records} in ${flood.minutes} |`,
    '',
  ].join('\n')
}
