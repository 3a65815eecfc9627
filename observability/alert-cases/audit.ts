import type { AlertCase } from './alert-case.ts'

const USED = 'palisade_audit_volume_used_bytes{job="gateway",pod="a"'
const CAPACITY = 'palisade_audit_volume_capacity_bytes{job="gateway",pod="a"}'
const WATERMARK = 'palisade_audit_volume_watermark{job="gateway",pod="a"}'
const REFUSED = 'palisade_audit_refused_total{job="gateway",reason="ERR_AUDIT_STORAGE_FULL"}'

const HALTED = 'palisade_audit_halted{job="sealer"}'
const FINDINGS = 'palisade_audit_last_verification_findings{job="sealer"}'
const VERIFIED = 'palisade_audit_last_verification_timestamp_seconds{job="sealer"}'
const COMPARED = 'palisade_secret_heads_last_comparison_timestamp_seconds{job="sealer"}'
const HEADS = 'palisade_secret_heads_findings{job="sealer"}'
const LAG = 'palisade_audit_seal_lag_seconds{job="sealer"}'

export const AUDIT_CASES: Readonly<Record<string, AlertCase>> = {
  AuditSealLag: {
    fires: {
      series: { [LAG]: '0+15x20' },
      at: '4m',
      summary: 'Audit records wait unsealed.',
    },
    silent: { series: { [LAG]: '0 4 8 9 3x20' }, at: '4m' },
  },
  AuditCheckpointMissing: {
    fires: {
      series: {
        // A place that hangs costs its time limit and a pause: one attempt in six seconds.
        'palisade_audit_checkpoint_failures_total{job="sealer",sink="object-store"}': '0+2x80',
        'palisade_audit_checkpoint_failures_total{job="sealer",sink="vault"}': '0x80',
      },
      at: '12m',
      labels: { sink: 'object-store' },
      summary: 'Checkpoints of the audit log do not reach object-store, or were gone from it.',
    },
    silent: {
      series: {
        'palisade_audit_seal_failures_total{job="sealer",reason="ECONNREFUSED"}': '0+3x80',
        // Each was restarted: some attempts, then it is over.
        'palisade_audit_checkpoint_failures_total{job="sealer",sink="vault"}': '0+2x4 8x76',
        'palisade_audit_checkpoint_failures_total{job="sealer",sink="object-store"}':
          '0x40 2+2x4 8x30',
        'palisade_audit_empty_place_timestamp_seconds{job="sealer",sink="vault"}': '0x80',
      },
      at: '12m',
    },
  },
  AuditChainBroken: {
    fires: {
      // The sealer goes on: what it found wrong is an old record.
      series: { [HALTED]: '0x8', [FINDINGS]: '0x4 1x4' },
      at: '2m',
      summary:
        'The audit log does not hold, by itself or against the checkpoints outside of the database.',
    },
    silent: { series: { [HALTED]: '0x20', [FINDINGS]: '0x20' }, at: '4m' },
  },
  AuditVerificationMissing: {
    fires: {
      // Time begins at 0: compared once, ten minutes later, and never again, while the log is verified.
      series: { [VERIFIED]: '600x1440 21600x1860', [COMPARED]: '600x3300' },
      at: '13h30m',
      summary:
        'The audit log was not verified, or secrets were not compared with it, for two periods of six hours.',
    },
    silent: {
      // One that failed is made up for by the next.
      series: { [VERIFIED]: '600x2880 43200x420', [COMPARED]: '600x2880 43200x420' },
      at: '13h30m',
    },
  },
  SecretRolledBack: {
    fires: {
      series: { [HEADS]: '0x4 2x4' },
      at: '2m',
      summary: 'Secrets in the database are not what the audit log says of them: 2.',
    },
    silent: {
      // The log is broken, and secrets are what it says.
      series: { [HEADS]: '0x20', [FINDINGS]: '1x20' },
      at: '4m',
    },
  },
  AuditVolumeFilling: {
    fires: {
      series: {
        [`${USED},part="data"}`]: '500x4 660x20',
        [`${USED},part="wal"}`]: '160x24',
        [CAPACITY]: '1000x24',
      },
      at: '3m',
      summary: 'The volume of database and audit log is 82% full.',
    },
    silent: {
      series: {
        // Seen by two replicas, which must not be added up; and somebody else's database, whose room nobody knows.
        [`${USED},part="data"}`]: '600x24',
        [`${USED.replace('"a"', '"b"')},part="data"}`]: '600x24',
        [CAPACITY]: '1000x24',
        [CAPACITY.replace('"a"', '"b"')]: '0x24',
      },
      at: '5m',
    },
  },
  AuditStorageFull: {
    fires: {
      // The volume has room by what the database takes, and the disk is full all the same.
      series: { [WATERMARK]: '0x24', [REFUSED]: '0x4 0+5x20' },
      at: '3m',
      summary: 'Requests are refused since no audit record can be written.',
    },
    silent: { series: { [WATERMARK]: '1x24', [REFUSED]: '7x24' }, at: '5m' },
  },
}
