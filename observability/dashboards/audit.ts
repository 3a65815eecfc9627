import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'

const SEALER = 'job="sealer"'

export const AUDIT_DASHBOARD: DashboardWish = {
  uid: 'palisade-audit',
  title: 'Audit',
  tells: 'Is every record written, sealed and covered by a checkpoint outside of the database?',
  rows: {
    Alerts: [
      alertTiles(
        [
          'AuditSealLag',
          'AuditChainBroken',
          'AuditCheckpointMissing',
          'AuditWriteFailures',
          'AuditVerificationMissing',
          'SecretRolledBack',
          'AuditVolumeFilling',
          'AuditStorageFull',
        ],
        12,
      ),
      now({
        title: 'Sealer stopped',
        tells:
          '1 while the sealer refuses to go on, because the database does not fit the checkpoints outside of it. With ERR_AUDIT_BEHIND_CHECKPOINT requests are refused as well.',
        unit: 'none',
        queries: { stopped: `max(palisade_audit_halted{${SEALER}})` },
        bad: { above: 0 },
        alerts: ['AuditChainBroken'],
      }),
      now({
        title: 'Last verification found',
        tells:
          'What was wrong with the log when the sealer last verified all of it. In order 0; the sealer logs each finding.',
        unit: 'none',
        queries: { findings: `max(palisade_audit_last_verification_findings{${SEALER}})` },
        bad: { above: 0 },
        alerts: ['AuditChainBroken'],
      }),
      now({
        title: 'Secrets that differ from the log',
        tells:
          'Secrets whose row was not what the log says, when the sealer last compared all of them. In order 0; the sealer logs which.',
        unit: 'none',
        queries: { findings: `max(palisade_secret_heads_findings{${SEALER}})` },
        bad: { above: 0 },
        alerts: ['SecretRolledBack'],
      }),
      now({
        title: 'Since the last verification',
        tells:
          'Time since the sealer last verified the whole log and compared secrets with it. In order six hours at most.',
        unit: 's',
        queries: {
          log: `time() - max(palisade_audit_last_verification_timestamp_seconds{${SEALER}})`,
          secrets: `time() - max(palisade_secret_heads_last_comparison_timestamp_seconds{${SEALER}})`,
        },
        bad: { above: 43_200 },
        alerts: ['AuditVerificationMissing'],
      }),
      now({
        title: 'Seal lag',
        tells: 'Age of the oldest record that is not sealed. In order it is below a second.',
        unit: 's',
        queries: { lag: `max(palisade_audit_seal_lag_seconds{${SEALER}})` },
        bad: { above: 10 },
        alerts: ['AuditSealLag'],
      }),
      now({
        title: 'Unsealed records',
        tells: 'Committed records that wait for the sealer. In order there are none or a few.',
        unit: 'none',
        queries: { records: `max(palisade_audit_unsealed_rows{${SEALER}})` },
        alerts: ['AuditSealLag'],
      }),
    ],
    Sealing: [
      overTime({
        title: 'Seal lag',
        tells:
          'Age of the oldest record that is not sealed. A line that rises is a sealer that does not seal.',
        unit: 's',
        queries: { lag: `max(palisade_audit_seal_lag_seconds{${SEALER}})` },
        bad: { above: 10 },
        alerts: ['AuditSealLag'],
      }),
      overTime({
        title: 'From commit to seal',
        tells: 'Longest wait of a batch: half and all but a hundredth of the batches were faster.',
        unit: 's',
        queries: {
          p50: `histogram_quantile(0.5, sum by (le) (rate(palisade_audit_seal_wait_seconds_bucket{${SEALER}}[$__rate_interval])))`,
          p99: `histogram_quantile(0.99, sum by (le) (rate(palisade_audit_seal_wait_seconds_bucket{${SEALER}}[$__rate_interval])))`,
        },
      }),
      overTime({
        title: 'Sealed records',
        tells: 'Records a second. It follows the requests that change, read or refuse something.',
        unit: 'ops',
        queries: { sealed: `sum(rate(palisade_audit_sealed_total{${SEALER}}[$__rate_interval]))` },
      }),
    ],
    'Room for records': [
      overTime({
        title: 'Audit volume in use',
        tells:
          'Share that database and write-ahead log take. At 90 % refusals are counted without their sources, at 95 % audited requests are refused. Empty: nobody said how large the volume is.',
        unit: 'percentunit',
        queries: {
          used: 'max(sum by (pod) (palisade_audit_volume_used_bytes{job="gateway"})) / (max(palisade_audit_volume_capacity_bytes{job="gateway"}) > 0)',
        },
        bad: { above: 0.8 },
        alerts: ['AuditVolumeFilling', 'AuditStorageFull'],
      }),
      overTime({
        title: 'What takes the room',
        tells:
          'Tables of all kinds, and the write-ahead log. A log that grows while the tables do not is kept for a standby or a slot.',
        unit: 'bytes',
        queries: {
          '{{part}}': 'max by (part) (palisade_audit_volume_used_bytes{job="gateway"})',
        },
      }),
      overTime({
        title: 'Refused for want of a record',
        tells:
          'A second, by code. Such a request did nothing. In order 0. What the database itself refused is counted, too.',
        unit: 'ops',
        queries: {
          '{{reason}}':
            'sum by (reason) (rate(palisade_audit_refused_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 0 },
        alerts: ['AuditStorageFull'],
      }),
    ],
    Retention: [
      overTime({
        title: 'Age of the oldest record',
        tells:
          'Since it was sealed. It grows a day a day until somebody archives and cuts; nothing is cut by itself.',
        unit: 's',
        queries: {
          age: `time() - max(palisade_audit_oldest_record_timestamp_seconds{${SEALER}} > 0)`,
        },
      }),
      overTime({
        title: 'Records that were cut',
        tells:
          'Since the log began, after their archive. Each step has a sealed record that says who.',
        unit: 'none',
        queries: { cut: `max(palisade_audit_cut_records{${SEALER}})` },
      }),
      now({
        title: 'Since the last cut',
        tells: 'And since the archive that it names. 0 before the first.',
        unit: 's',
        queries: {
          since: `time() - max(palisade_audit_last_cut_timestamp_seconds{${SEALER}} > 0) or vector(0)`,
        },
      }),
      now({
        title: 'Unfinished cuts',
        tells:
          'A cut that was decided and has records left. The same command with the same archive goes on.',
        unit: 'none',
        queries: { unfinished: `max(palisade_audit_unfinished_cuts{${SEALER}})` },
      }),
    ],
    'What goes wrong': [
      overTime({
        title: 'Batches that could not be sealed',
        tells: 'A second, by SQLSTATE, name of the network error or code.',
        unit: 'ops',
        queries: {
          '{{reason}}': `sum by (reason) (rate(palisade_audit_seal_failures_total{${SEALER}}[$__rate_interval]))`,
        },
        bad: { above: 0.02 },
        alerts: ['DatabaseConnectionErrors'],
      }),
      overTime({
        title: 'Checkpoints that did not get outside',
        tells:
          'Attempts a second that failed, by place. One that hangs is tried every six seconds. In order 0.',
        unit: 'ops',
        queries: {
          '{{sink}}': `sum by (sink) (rate(palisade_audit_checkpoint_failures_total{${SEALER}}[$__rate_interval]))`,
        },
        bad: { above: 0.02 },
        alerts: ['AuditCheckpointMissing'],
      }),
      overTime({
        title: 'Places that were found empty',
        tells:
          '1 for an hour after a place remembered nothing of a log that has records: it was added, or somebody emptied it. In order 0.',
        unit: 'none',
        queries: {
          '{{sink}}': `max by (sink) (palisade_audit_empty_place_timestamp_seconds{${SEALER}}) > bool (time() - 3600)`,
        },
        bad: { above: 0 },
        alerts: ['AuditCheckpointMissing'],
      }),
      overTime({
        title: 'Age of the last checkpoint',
        tells:
          'By place outside of the database. A checkpoint is written when something was sealed, to vault at most once a second, to the object store once in ten.',
        unit: 's',
        queries: {
          '{{sink}}': `time() - max by (sink) (palisade_audit_last_checkpoint_timestamp_seconds{${SEALER}})`,
        },
      }),
      overTime({
        title: 'Records that a place has not heard of',
        tells:
          'Checkpoints cover this many records less at one place than at the one that knows most. A line that rises is a place that is away.',
        unit: 'none',
        queries: {
          '{{sink}}': `scalar(max(palisade_audit_last_checkpoint_records{${SEALER}})) - max by (sink) (palisade_audit_last_checkpoint_records{${SEALER}})`,
        },
      }),
      overTime({
        title: 'Refusals that could not be recorded',
        tells:
          'A second. What was refused stays refused and is counted, without a row of its own. In order 0.',
        unit: 'ops',
        queries: {
          lost: 'sum(rate(palisade_audit_write_failures_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 0 },
        alerts: ['AuditWriteFailures'],
      }),
      overTime({
        title: 'Steps that the operator told',
        tells:
          'A second, by what became of them. A conflict is a number that the log has with other content: somebody looks.',
        unit: 'ops',
        queries: {
          '{{outcome}}':
            'sum by (outcome) (rate(palisade_audit_intake_entries_total{job="gateway"}[$__rate_interval]))',
        },
      }),
      overTime({
        title: 'Attempts to write counted refusals that failed',
        tells:
          'In five minutes, of the replica that failed most. The numbers are kept in its memory. In order 0.',
        unit: 'none',
        queries: {
          failed: 'max(increase(palisade_refusal_flush_failures_total{job="gateway"}[5m]))',
        },
        bad: { above: 240 },
        alerts: ['RefusalCountsUnwritten'],
      }),
    ],
  },
}
