import { fresh } from '../fresh.ts'
import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'
import { rows } from './rows.ts'
import { rotationNamespace } from './variables.ts'

const CHOSEN = 'job="operator",exported_namespace=~"$namespace"'
// Each replica that has led holds the value it saw last, so the newest word is the largest.
const perRotation = (metric: string) => `max by (exported_namespace, name) (${metric}{${CHOSEN}})`
const AGE = `time() - ${perRotation('palisade_rotation_last_success_timestamp_seconds')}`
const ROTATION = '{{exported_namespace}}/{{name}}'

export const ROTATION_DASHBOARD: DashboardWish = {
  uid: 'palisade-rotation',
  title: 'Rotation',
  tells:
    'How old each credential is, which rotation is late or waits for a person, and how the operator works.',
  variables: [rotationNamespace()],
  rows: {
    Alerts: [
      alertTiles(
        [
          'RotationStalled',
          'RotationOverdue',
          'OperatorDown',
          'OperatorNotLeading',
          'ReconcileErrors',
          'AuditUndelivered',
          'RotationRefusalsUnseen',
        ],
        16,
      ),
      now({
        title: 'Operators',
        tells: 'Replicas that Prometheus reaches. With none nothing is rotated.',
        unit: 'none',
        queries: { operators: `sum(${fresh('up{job="operator"}')})` },
        bad: { below: 1 },
        alerts: ['OperatorDown'],
      }),
      now({
        title: 'Leaders',
        tells: 'Replicas that hold the lease. In order it is exactly 1.',
        unit: 'none',
        queries: { leaders: `sum(${fresh('leader_election_master_status{job="operator"}')})` },
        bad: { below: 1 },
        alerts: ['OperatorNotLeading'],
      }),
    ],
    Rotations: [
      rows({
        title: 'Each rotation',
        tells:
          'Age of the current version, how long the next one is due, whether it waits for a person (1), and the age of the oldest step that the audit log has not taken.',
        by: { exported_namespace: 'Namespace', name: 'Rotation' },
        columns: {
          Age: { expr: AGE, unit: 's' },
          Overdue: { expr: perRotation('palisade_rotation_overdue_seconds'), unit: 's' },
          Stalled: { expr: perRotation('palisade_rotation_stalled'), unit: 'none' },
          Undelivered: { expr: perRotation('palisade_audit_undelivered_seconds'), unit: 's' },
        },
        alerts: ['RotationStalled', 'RotationOverdue'],
      }),
      overTime({
        title: 'Age',
        tells:
          'Time since the current version was published. A saw tooth is a rotation that works.',
        unit: 's',
        queries: { [ROTATION]: AGE },
      }),
      overTime({
        title: 'Overdue',
        tells:
          'How long the next rotation has been due. An hour is late: the operator tries again by itself.',
        unit: 's',
        queries: { [ROTATION]: perRotation('palisade_rotation_overdue_seconds') },
        bad: { above: 3_600 },
        alerts: ['RotationOverdue'],
      }),
      overTime({
        title: 'Stalled',
        tells: '1 while a rotation waits for a person, since waiting alone cannot mend it.',
        unit: 'none',
        queries: { [ROTATION]: perRotation('palisade_rotation_stalled') },
        bad: { above: 0 },
        alerts: ['RotationStalled'],
      }),
      overTime({
        title: 'Refusals unseen',
        tells:
          '1 while a disabled user is watched and the log of its server cannot be read. In order 0.',
        unit: 'none',
        queries: { [ROTATION]: perRotation('palisade_rotation_refusals_unseen') },
        bad: { above: 0 },
        alerts: ['RotationRefusalsUnseen'],
      }),
    ],
    Operator: [
      overTime({
        title: 'Passes by result',
        tells: 'Passes a second. Errors that go on are an object that does not move.',
        unit: 'ops',
        queries: {
          '{{controller}} {{result}}':
            'sum by (controller, result) (rate(controller_runtime_reconcile_total{job="operator"}[$__rate_interval]))',
        },
      }),
      overTime({
        title: 'Failed passes',
        tells:
          'In the last hour, by controller. More than three and still one in the last quarter is an alert.',
        unit: 'none',
        queries: {
          '{{controller}}':
            'sum by (controller) (increase(controller_runtime_reconcile_errors_total{job="operator"}[1h]))',
        },
        bad: { above: 3 },
        alerts: ['ReconcileErrors'],
      }),
      overTime({
        title: 'Duration of a pass',
        tells:
          'Slowest hundredth. Seconds mean that the database, the secret store or the API server is slow.',
        unit: 's',
        queries: {
          '{{controller}}':
            'histogram_quantile(0.99, sum by (le, controller) (rate(controller_runtime_reconcile_time_seconds_bucket{job="operator"}[$__rate_interval])))',
        },
      }),
      overTime({
        title: 'Waiting objects',
        tells: 'Keys in the queue. A line that stays above 0 is an operator that does not keep up.',
        unit: 'none',
        queries: { '{{name}}': 'max by (name) (workqueue_depth{job="operator"})' },
      }),
      overTime({
        title: 'Undelivered audit entries',
        tells: 'Age of the oldest step that the gateway has not taken into the audit log.',
        unit: 's',
        queries: { [ROTATION]: perRotation('palisade_audit_undelivered_seconds') },
        bad: { above: 300 },
        alerts: ['AuditUndelivered'],
      }),
      overTime({
        title: 'Event-loop lag',
        tells:
          'How late the process is at its work, slowest hundredth. A blocked loop loses the lease.',
        unit: 's',
        queries: { '{{pod}}': 'nodejs_eventloop_lag_p99_seconds{job="operator"}' },
        bad: { above: 0.1 },
      }),
    ],
  },
}
