import type { Side } from '../../bench/audit/added-latency.ts'
import type { Latencies } from '../../bench/audit/latencies.ts'
import type { AddedRun } from '../../bench/audit/report-added.ts'

const latencies = (p99: number, count = 10_000): Latencies => ({
  ...{ count, p50: 1, p95: 2, p99, p999: 20, longest: 40 },
})

const side = (all: number, rounds: readonly number[]): Side => ({
  all: latencies(all, rounds.length * 10_000),
  rounds: rounds.map((p99) => latencies(p99)),
  slowest: { generator: 0.1, eventLoop: 0.2, call: 6 },
  sentLateP99: 0.3,
  meanwhile: {
    ...{ fsyncs: 10_000, walBytes: 3e7, fullPages: 7, checkpoints: 1, checkpointPages: 900 },
    ...{ walFiles: 0, autovacuums: 2, connections: 3, batches: 400, stealMs: 5 },
    ...{ gcPauses: 12, gcMs: 20, gcLongestMs: 4 },
  },
})

/**
 * A run whose 99th percentile without a record is 2 ms.
 * @param rounds what a record added to it in each round, ms
 * @param all the same over all samples
 */
export const addedRun = (rounds: readonly number[], all: number, load = 0.1): AddedRun => ({
  ...{ at: '2026-11-27T09:00:00.000Z', command: 'make bench-audit', rate: 500, seconds: 20 },
  machine: { cores: 2, cpu: 'x', memoryGiB: 24, kernel: '6', node: 'v24', commit: 'abc' },
  load: { before: load, after: 2 },
  rounds: rounds.length,
  records: 200_000,
  bare: side(
    2,
    rounds.map(() => 2),
  ),
  audited: side(
    2 + all,
    rounds.map((added) => 2 + added),
  ),
  disk: latencies(5),
  postgres: { fsync: 'on', synchronous_commit: 'on' },
})
