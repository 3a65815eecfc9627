import { type Alert, rule } from './alert.ts'

const REQUESTS = 'http_requests_total{job="gateway"}'

export const GATEWAY: readonly Alert[] = [
  {
    name: 'GatewayDown',
    expr: 'absent(up{job="gateway"} == 1)',
    for: '1m',
    severity: 'page',
    summary: 'No gateway answers: every request fails.',
  },
  {
    name: 'ErrorRateHigh',
    // Below one request in ten seconds a single failure would be a rate.
    expr: `sum(rate(${REQUESTS.replace('}', ',status=~"5.."}')}[5m])) / sum(rate(${REQUESTS}[5m])) > 0.02 and sum(rate(${REQUESTS}[5m])) > 0.1`,
    for: '5m',
    severity: 'page',
    summary: 'More than 2 % of requests fail: {{ $value | humanizePercentage }}.',
  },
  {
    name: 'LatencyHigh',
    expr: 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{job="gateway"}[5m]))) > 1',
    for: '10m',
    severity: 'ticket',
    summary: 'One request in a hundred takes longer than {{ $value | humanizeDuration }}.',
  },
]

export const ROTATION: readonly Alert[] = [
  {
    name: 'RotationOverdue',
    expr: 'max by (exported_namespace, name) (palisade_rotation_overdue_seconds) > 3600',
    for: '5m',
    severity: 'ticket',
    summary:
      'Rotation {{ $labels.exported_namespace }}/{{ $labels.name }} is overdue by {{ $value | humanizeDuration }}.',
  },
  {
    name: 'RotationStalled',
    expr: 'max by (exported_namespace, name) (palisade_rotation_stalled) > 0',
    for: '5m',
    severity: 'page',
    summary:
      'Rotation {{ $labels.exported_namespace }}/{{ $labels.name }} has stopped and waits for a person.',
  },
  {
    name: 'OperatorNotLeading',
    expr: 'absent(up{job="operator"} == 1) or sum(leader_election_master_status{job="operator"}) < 1',
    for: '2m',
    severity: 'page',
    summary: 'No operator leads: nothing is rotated and no Secret is put back.',
  },
]

export const AUDIT: readonly Alert[] = [
  {
    name: 'AuditSealLag',
    expr: 'max(palisade_audit_seal_lag_seconds) > 10 or absent(palisade_audit_seal_lag_seconds)',
    for: '2m',
    severity: 'page',
    summary: 'Audit rows wait unsealed: whoever owns the database could change them unseen.',
  },
]

export const CERTIFICATES: readonly Alert[] = [
  {
    name: 'CertificateNotRenewed',
    // Renewal begins at two thirds of the life; with a quarter left it has failed for days.
    expr: '(certmanager_certificate_expiration_timestamp_seconds - time()) / 2592000 < 0.25',
    for: '1h',
    severity: 'page',
    summary:
      'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} has {{ $value | humanizePercentage }} of its life left and was not renewed.',
  },
]

/** Always firing: whoever receives alerts notices by its absence that none can arrive. */
export const HEARTBEAT: readonly Alert[] = [
  {
    name: 'DeadMan',
    expr: 'vector(1)',
    for: '0s',
    severity: 'none',
    summary: 'The path of alerts works. Its silence is the alarm.',
  },
]

export const GROUPS: Readonly<Record<string, readonly Alert[]>> = {
  gateway: GATEWAY,
  rotation: ROTATION,
  audit: AUDIT,
  certificates: CERTIFICATES,
  heartbeat: HEARTBEAT,
}
export const ALERTS: readonly Alert[] = Object.values(GROUPS).flat()

export const alertGroups = () =>
  Object.entries(GROUPS).map(([name, alerts]) => ({
    name: `palisade-${name}`,
    rules: alerts.map(rule),
  }))
