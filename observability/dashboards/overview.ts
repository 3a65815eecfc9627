import { ALERTS } from '../alerts.ts'
import { fresh } from '../fresh.ts'
import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { FAILED_SHARE, LATENCY } from './gateway.ts'
import { now, overTime } from './panel.ts'
import { rows } from './rows.ts'

const CERTIFICATE = (what: string) =>
  `max by (exported_namespace, name) (certmanager_certificate_${what}_timestamp_seconds{job="cert-manager"})`
const LEFT = `${CERTIFICATE('expiration')} - time()`

export const OVERVIEW: DashboardWish = {
  uid: 'palisade-overview',
  title: 'Overview',
  tells: 'Is the platform in order, and if not, which part is not?',
  rows: {
    Alerts: [alertTiles(ALERTS.map(({ name }) => name))],
    'What users notice': [
      now({
        title: 'Gateways that answer',
        tells: 'Replicas of the gateway that Prometheus reaches. With none every request fails.',
        unit: 'none',
        queries: { gateways: `sum(${fresh('up{job="gateway"}')})` },
        bad: { below: 1 },
        alerts: ['GatewayDown'],
      }),
      now({
        title: 'Requests',
        tells: 'Answered requests a second over all routes.',
        unit: 'reqps',
        queries: { requests: 'sum(rate(http_requests_total{job="gateway"}[5m]))' },
      }),
      now({
        title: 'Failed share',
        tells: 'Share of answers that are errors of the platform (5xx). In order it is 0 %.',
        unit: 'percentunit',
        queries: { failed: FAILED_SHARE },
        bad: { above: 0.02 },
        alerts: ['ErrorRateHigh'],
      }),
      now({
        title: 'Slowest hundredth',
        tells:
          'One request in a hundred takes longer than this. In order it is far below a second.',
        unit: 's',
        queries: { p99: LATENCY(0.99) },
        bad: { above: 1 },
        alerts: ['LatencyHigh'],
      }),
      now({
        title: 'Database instances',
        tells: 'Instances of PostgreSQL that answer their own exporter.',
        unit: 'none',
        queries: { instances: `sum(${fresh('cnpg_collector_up{job="database"}')})` },
        bad: { below: 1 },
        alerts: ['DatabaseDown'],
      }),
      now({
        title: 'Unsealed records',
        tells: 'Audit records that wait for the sealer. In order there are none or a few.',
        unit: 'none',
        queries: { records: 'max(palisade_audit_unsealed_rows{job="sealer"})' },
        alerts: ['AuditSealLag'],
      }),
    ],
    Parts: [
      overTime({
        title: 'Programs that answer',
        tells:
          'Targets that Prometheus reaches, by program. A line that falls is a replica that went.',
        unit: 'none',
        queries: { '{{job}}': 'sum by (job) (up{job=~".+"})' },
        alerts: ['GatewayDown', 'OperatorDown'],
      }),
      overTime({
        title: 'What the gateway rests on',
        tells: 'Whether the replicas reach database, keys and Redis: 1 is all of them, 0 is none.',
        unit: 'percentunit',
        queries: { '{{check}}': 'avg by (check) (palisade_check_ok{job="gateway"})' },
        alerts: ['SecretStoreDown', 'RedisDown', 'DatabaseDown'],
      }),
      overTime({
        title: 'Rotations that wait for a person or are late',
        tells:
          'Rotations that have stopped, and rotations due for more than an hour. In order both are 0.',
        unit: 'none',
        queries: {
          stopped: 'sum(palisade_rotation_stalled{job="operator"})',
          late: 'count(palisade_rotation_overdue_seconds{job="operator"} > 3600) or vector(0)',
        },
        bad: { above: 0 },
        alerts: ['RotationStalled', 'RotationOverdue'],
      }),
    ],
    Certificates: [
      rows({
        title: 'Life left of certificates',
        tells:
          'Time until each certificate expires, and the share that is left of the time kept for its renewal: above 100 % it is not due yet.',
        by: { exported_namespace: 'Namespace', name: 'Certificate' },
        columns: {
          'Expires in': { expr: LEFT, unit: 's' },
          'Time for renewal': {
            expr: `(${LEFT}) / (${CERTIFICATE('expiration')} - ${CERTIFICATE('renewal')})`,
            unit: 'percentunit',
          },
        },
        alerts: ['CertificateNotRenewed'],
      }),
    ],
  },
}
