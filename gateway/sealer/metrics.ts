import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RetentionState } from './retention.ts'

/** Names are part of the interface: alerts and dashboards use them. */
export class SealerMetrics {
  readonly registry = new Registry()
  readonly unsealed = new Gauge({
    name: 'palisade_audit_unsealed_rows',
    help: 'Committed audit records that are not sealed yet',
    registers: [this.registry],
  })
  readonly lag = new Gauge({
    name: 'palisade_audit_seal_lag_seconds',
    help: 'Age of the oldest audit record that is not sealed yet',
    registers: [this.registry],
  })
  readonly wait = new Histogram({
    name: 'palisade_audit_seal_wait_seconds',
    help: 'Longest time from commit to seal in each batch',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  })
  readonly sealed = new Counter({
    name: 'palisade_audit_sealed_total',
    help: 'Sealed audit records',
    registers: [this.registry],
  })
  readonly failures = new Counter({
    name: 'palisade_audit_seal_failures_total',
    help: 'Batches that could not be sealed, by what stood in the way',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })
  readonly purged = new Counter({
    name: 'palisade_purged_rows_total',
    help: 'Rows taken away after their day, by table',
    labelNames: ['table'] as const,
    registers: [this.registry],
  })
  readonly purgeFailures = new Counter({
    name: 'palisade_purge_failures_total',
    help: 'Attempts to take old rows away that failed; they are repeated',
    registers: [this.registry],
  })
  readonly checkpointFailures = new Counter({
    name: 'palisade_audit_checkpoint_failures_total',
    help: 'Attempts to read or write a checkpoint outside that failed, by place; they are repeated',
    labelNames: ['sink'] as const,
    registers: [this.registry],
  })
  readonly lastCheckpointSize = new Gauge({
    name: 'palisade_audit_last_checkpoint_records',
    help: 'Records that the checkpoint covers which was last written, by place',
    labelNames: ['sink'] as const,
    registers: [this.registry],
  })
  readonly lastCheckpoint = new Gauge({
    name: 'palisade_audit_last_checkpoint_timestamp_seconds',
    help: 'When a checkpoint was last written, by place',
    labelNames: ['sink'] as const,
    registers: [this.registry],
  })
  readonly emptyPlace = new Gauge({
    name: 'palisade_audit_empty_place_timestamp_seconds',
    help: 'When a place outside was last found to remember nothing although records had been sealed; 0 never, by place',
    labelNames: ['sink'] as const,
    registers: [this.registry],
  })
  readonly oldestRecord = new Gauge({
    name: 'palisade_audit_oldest_record_timestamp_seconds',
    help: 'When the oldest audit records were sealed that are still in the database; 0 in an empty log',
    registers: [this.registry],
  })
  readonly cutRecords = new Gauge({
    name: 'palisade_audit_cut_records',
    help: 'Audit records that were taken away after they had been archived',
    registers: [this.registry],
  })
  readonly lastCut = new Gauge({
    name: 'palisade_audit_last_cut_timestamp_seconds',
    help: 'When a part of the log was last cut after its archive; 0 before the first time',
    registers: [this.registry],
  })
  readonly unfinishedCuts = new Gauge({
    name: 'palisade_audit_unfinished_cuts',
    help: 'Cuts of the log that were decided and have records left to take',
    registers: [this.registry],
  })
  readonly lastVerification = new Gauge({
    name: 'palisade_audit_last_verification_timestamp_seconds',
    help: 'When the sealer last verified the whole log in the database to its end; 0 before the first time',
    registers: [this.registry],
  })
  readonly lastVerificationFindings = new Gauge({
    name: 'palisade_audit_last_verification_findings',
    help: 'What that verification found wrong, 20 at most; 0 means that the log holds',
    registers: [this.registry],
  })
  readonly lastVerificationRecords = new Gauge({
    name: 'palisade_audit_last_verification_records',
    help: 'Records that it went through',
    registers: [this.registry],
  })
  readonly lastHeadComparison = new Gauge({
    name: 'palisade_secret_heads_last_comparison_timestamp_seconds',
    help: 'When the sealer last compared every secret with its last change in the audit log; 0 before the first time',
    registers: [this.registry],
  })
  readonly headFindings = new Gauge({
    name: 'palisade_secret_heads_findings',
    help: 'Secrets that differed from the log then: rolled back, gone, unknown or changed without a record',
    registers: [this.registry],
  })
  readonly headsCompared = new Gauge({
    name: 'palisade_secret_heads_compared',
    help: 'Secrets that were compared then',
    registers: [this.registry],
  })
  readonly halted = new Gauge({
    name: 'palisade_audit_halted',
    help: '1 while the sealer refuses to go on because the database does not fit the checkpoints outside of it',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    // A counter that begins at its first event hides that event from every rate.
    this.failures.inc({ reason: 'other' }, 0)
  }

  showRetention({ oldestRecord, cutRecords, lastCut, unfinished }: RetentionState): void {
    this.oldestRecord.set(oldestRecord ?? 0)
    this.cutRecords.set(cutRecords)
    this.lastCut.set(lastCut ?? 0)
    this.unfinishedCuts.set(unfinished)
  }
}
