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

export interface AuditSoak {
  readonly date: string
  readonly machine: Machine
  readonly loadBefore: number
  readonly seed: number
  readonly kills: AuditKills
}

export const isWhole = ({ kills }: AuditSoak): boolean =>
  kills.killed === kills.asked && kills.failures.length === 0

export function auditPage(soak: AuditSoak): string {
  const { machine, kills, seed } = soak
  const { failures } = kills
  return [
    '# Killing gateways and sealers',
    '',
    'Written by `make soak`; the same order again: ' +
      `\`make soak ARGS="--audit --kills ${kills.asked} --seed ${seed}"\`.`,
    '',
    `${soak.date}, commit ${machine.commit}; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, load before ${soak.loadBefore}.`,
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
  ].join('\n')
}
