import type { Alert } from '../alert.ts'
import { fresh } from '../fresh.ts'

const LAG = 'palisade_audit_seal_lag_seconds{job="sealer"}'

const VERIFIED = 'palisade_audit_last_verification_timestamp_seconds{job="sealer"}'
const COMPARED = 'palisade_secret_heads_last_comparison_timestamp_seconds{job="sealer"}'
const EMPTY = 'palisade_audit_empty_place_timestamp_seconds{job="sealer"}'
const VOLUME =
  'max(sum by (pod) (palisade_audit_volume_used_bytes{job="gateway"})) / (max(palisade_audit_volume_capacity_bytes{job="gateway"}) > 0)'
const REFUSED = 'palisade_audit_refused_total{job="gateway",reason="ERR_AUDIT_STORAGE_FULL"}'

export const AUDIT: readonly Alert[] = [
  {
    name: 'AuditSealLag',
    // A sealer that is gone measures nothing: its silence counts as lag.
    expr: `max(${LAG}) > 10 or absent(${fresh(LAG)})`,
    for: '2m',
    severity: 'page',
    summary: 'Audit records wait unsealed.',
    description:
      'Until it is sealed, whoever owns the database could change or remove a record unseen by the checkpoints.',
  },
  {
    name: 'AuditCheckpointMissing',
    // A place that does not take a checkpoint is tried again all the time, so its failures are a rate.
    // One that was found empty is filled again within seconds, so it is told for an hour.
    expr: `sum by (sink) (rate(palisade_audit_checkpoint_failures_total{job="sealer"}[5m])) > 0.02 or max by (sink) (${EMPTY} > 0) > time() - 3600`,
    for: '5m',
    severity: 'page',
    summary: 'Checkpoints of the audit log do not reach {{ $labels.sink }}, or were gone from it.',
    description:
      'Records are sealed, but this place outside of the database does not learn how far the log goes, or remembered nothing of a log that has records. Where it is the only one, a tail that was cut meanwhile would not be missed.',
  },
  {
    name: 'AuditChainBroken',
    expr: 'max(palisade_audit_halted{job="sealer"}) > 0 or max(palisade_audit_last_verification_findings{job="sealer"}) > 0',
    for: '0s',
    severity: 'page',
    summary:
      'The audit log does not hold, by itself or against the checkpoints outside of the database.',
    description:
      'Somebody changed the log, or an old copy of the database was restored. Where it does not fit a checkpoint outside, the sealer appends nothing until a person has looked; where it is behind one, every request that leaves a record is answered 503, until a newer copy is restored or two people have decided.',
  },
  {
    name: 'AuditVerificationMissing',
    // Each six hours; a sealer that has just started says 0 until it is through for the first time.
    expr: `time() - max(${VERIFIED}) > 43200 or time() - max(${COMPARED}) > 43200`,
    for: '1h',
    severity: 'ticket',
    summary:
      'The audit log was not verified, or secrets were not compared with it, for two periods of six hours.',
    description:
      'The log goes on and is sealed. A record that was changed in this time, or a secret that was put back to an old version, would not have been noticed yet.',
  },
  {
    name: 'SecretRolledBack',
    expr: 'max(palisade_secret_heads_findings{job="sealer"}) > 0',
    for: '0s',
    severity: 'page',
    summary: 'Secrets in the database are not what the audit log says of them: {{ $value }}.',
    description:
      'Somebody changed rows of secrets past the gateway, or put a part of the database back. A value that was rotated because it had leaked may be handed out again, and no read notices.',
  },
  {
    name: 'AuditVolumeFilling',
    expr: `${VOLUME} > 0.8`,
    for: '1m',
    severity: 'ticket',
    summary: 'The volume of database and audit log is {{ $value | humanizePercentage }} full.',
    description:
      'At 90 % refusals are counted without their sources, at 95 % whatever leaves an audit record is refused.',
  },
  {
    name: 'AuditStorageFull',
    // The second half is a disk that is full of something else than the database.
    expr: `max(palisade_audit_volume_watermark{job="gateway"}) > 1 or sum(increase(${REFUSED}[2m])) > 0`,
    for: '30s',
    severity: 'page',
    summary: 'Requests are refused since no audit record can be written.',
    description:
      'Logins, reads and writes of secrets answer 503 until there is room. Nothing is lost, and nothing was done without its record.',
  },
  {
    name: 'AuditUndelivered',
    // A scrape has a label "namespace" of its own, so the rotation's becomes exported_namespace.
    expr: 'max by (exported_namespace, name) (palisade_audit_undelivered_seconds{job="operator"}) > 300',
    for: '1m',
    severity: 'ticket',
    summary:
      'Steps of rotation {{ $labels.exported_namespace }}/{{ $labels.name }} have waited {{ $value | humanizeDuration }} for the audit log.',
    description:
      'Rotations go on and nothing is lost; until the gateway takes them, the steps are known to the operator alone.',
  },
]
