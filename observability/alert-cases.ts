import { AUDIT_CASES } from './alert-cases/audit.ts'
import { LOGIN_CASES } from './alert-cases/logins.ts'
import { PART_CASES } from './alert-cases/parts.ts'
import { REFUSAL_CASES } from './alert-cases/refusals.ts'

/** Series as promtool writes them: `5x3` is five, five, five, five; `_` is no sample. */
type Series = Readonly<Record<string, string>>

/** What an alert must fire at, with which words, and what it must let pass. */
export interface AlertCase {
  readonly fires: {
    readonly series: Series
    readonly at: string
    readonly labels?: Readonly<Record<string, string>>
    readonly summary: string
  }
  /** The nearest thing that is still in order, after at least as long. */
  readonly silent: { readonly series: Series; readonly at: string }
}

const GATEWAY = 'http_requests_total{job="gateway",route="/api/secrets/:name",method="GET"'
const BUCKET = 'http_request_duration_seconds_bucket{job="gateway"'
const OVERDUE =
  'palisade_rotation_overdue_seconds{job="operator",exported_namespace="shop",name="orders-db"}'
const STALLED =
  'palisade_rotation_stalled{job="operator",exported_namespace="shop",name="orders-db"}'
const UNDELIVERED =
  'palisade_audit_undelivered_seconds{job="operator",exported_namespace="shop",name="orders-db"}'
const BACKENDS = 'cnpg_backends_total{job="database",pod="palisade-db-1"'
const LIMIT = 'cnpg_pg_settings_setting{job="database",pod="palisade-db-1",name="max_connections"}'
const ERRORS =
  'controller_runtime_reconcile_errors_total{job="operator",controller="secretrotation"}'
const EXPIRES =
  'certmanager_certificate_expiration_timestamp_seconds{job="cert-manager",exported_namespace="palisade-system",name="gateway-tls"}'
const RENEWS = EXPIRES.replace('expiration', 'renewal')
const ORDERS = { exported_namespace: 'shop', name: 'orders-db' }

/** One sample every 15 seconds, as the platform scrapes. */
export const CASES: Readonly<Record<string, AlertCase>> = {
  GatewayDown: {
    fires: {
      series: { 'up{job="gateway",pod="a"}': '0x20', 'up{job="gateway",pod="b"}': '1x4 0x16' },
      at: '3m',
      summary: 'No gateway answers: every request fails.',
    },
    silent: {
      series: { 'up{job="gateway",pod="a"}': '0x20', 'up{job="gateway",pod="b"}': '1x20' },
      at: '5m',
    },
  },
  ErrorRateHigh: {
    fires: {
      series: { [`${GATEWAY},status="200"}`]: '0+29x60', [`${GATEWAY},status="503"}`]: '0+1x60' },
      at: '15m',
      summary: 'Of all requests 3.333% fail.',
    },
    silent: {
      series: { [`${GATEWAY},status="200"}`]: '0+99x60', [`${GATEWAY},status="503"}`]: '0+1x60' },
      at: '15m',
    },
  },
  LatencyHigh: {
    fires: {
      series: {
        [`${BUCKET},le="1"}`]: '0+90x100',
        [`${BUCKET},le="2.5"}`]: '0+100x100',
        [`${BUCKET},le="+Inf"}`]: '0+100x100',
      },
      at: '20m',
      summary: 'One request in a hundred takes longer than 2.35s.',
    },
    silent: {
      series: {
        [`${BUCKET},le="1"}`]: '0+995x100',
        [`${BUCKET},le="2.5"}`]: '0+1000x100',
        [`${BUCKET},le="+Inf"}`]: '0+1000x100',
      },
      at: '20m',
    },
  },
  RateLimitViolations: {
    fires: {
      series: {
        'rate_limit_exceeded_total{job="gateway",exported_endpoint="/api/v1/auth/login"}':
          '0+30x100',
      },
      at: '20m',
      labels: { exported_endpoint: '/api/v1/auth/login' },
      summary: 'At /api/v1/auth/login 2 requests a second are refused for their number.',
    },
    silent: {
      series: {
        'rate_limit_exceeded_total{job="gateway",exported_endpoint="/api/v1/auth/login"}':
          '0+10x100',
      },
      at: '20m',
    },
  },
  ...AUDIT_CASES,
  ...LOGIN_CASES,
  ...PART_CASES,
  ...REFUSAL_CASES,
  AuditWriteFailures: {
    fires: {
      series: { 'palisade_audit_write_failures_total{job="gateway"}': '0+1x40' },
      at: '6m',
      summary: 'Refused requests were not recorded: 20 in five minutes.',
    },
    silent: { series: { 'palisade_audit_write_failures_total{job="gateway"}': '7x40' }, at: '6m' },
  },
  AuditUndelivered: {
    fires: {
      series: { [UNDELIVERED]: '0+15x40' },
      at: '7m',
      labels: ORDERS,
      summary: 'Steps of rotation shop/orders-db have waited 7m 0s for the audit log.',
    },
    silent: {
      // A gateway that is rolled: an entry waits for four minutes and is taken.
      series: { [UNDELIVERED]: '0+15x16 _x20' },
      at: '9m',
    },
  },
  OperatorDown: {
    fires: {
      series: { 'up{job="operator"}': '1x4 0x20' },
      at: '5m',
      summary: 'No operator answers: nothing is rotated and no Secret is put back.',
    },
    silent: {
      // A replica that is replaced within a minute.
      series: { 'up{job="operator"}': '1x4 0x3 1x20' },
      at: '4m',
    },
  },
  OperatorNotLeading: {
    fires: {
      series: {
        'leader_election_master_status{job="operator",pod="a"}': '1x4 0x20',
        'leader_election_master_status{job="operator",pod="b"}': '0x24',
      },
      at: '5m',
      summary: 'Operators run and none leads: nothing is rotated and no Secret is put back.',
    },
    silent: {
      series: {
        'leader_election_master_status{job="operator",pod="a"}': '1x4 0x20',
        'leader_election_master_status{job="operator",pod="b"}': '0x6 1x18',
      },
      at: '5m',
    },
  },
  ReconcileErrors: {
    fires: {
      // One object, tried again ever more rarely: every seven minutes in the end.
      series: { [ERRORS]: '0 1 1 2 2x3 3x8 4x15 5x28 6x28 7x28 8x28' },
      at: '30m',
      labels: { controller: 'secretrotation' },
      summary: 'The operator fails again and again at an object of secretrotation.',
    },
    silent: { series: { [ERRORS]: '0 1 2 3 4 5x200' }, at: '45m' },
  },
  RotationOverdue: {
    fires: {
      series: { [OVERDUE]: '3600+15x60' },
      at: '10m',
      labels: ORDERS,
      summary: 'Rotation shop/orders-db is overdue by 1h 10m 0s.',
    },
    silent: { series: { [OVERDUE]: '0+15x60 0x10' }, at: '15m' },
  },
  RotationStalled: {
    fires: {
      series: { [STALLED]: '0x4 1x40' },
      at: '10m',
      labels: ORDERS,
      summary: 'Rotation shop/orders-db has stopped and waits for a person.',
    },
    silent: { series: { [STALLED]: '0x4 1x10 0x30' }, at: '10m' },
  },
  CertificateNotRenewed: {
    fires: {
      // Three days are left of the ten that were kept for its renewal.
      series: { [EXPIRES]: '259200x800', [RENEWS]: '-604800x800' },
      at: '2h',
      labels: { exported_namespace: 'palisade-system', name: 'gateway-tls' },
      summary:
        'Certificate palisade-system/gateway-tls was not renewed: 29.17% of the time for that is left.',
    },
    silent: { series: { [EXPIRES]: '864000x800', [RENEWS]: '3600x800' }, at: '3h' },
  },
  DatabaseDown: {
    fires: {
      series: { 'cnpg_collector_up{job="database"}': '1x4 0x20' },
      at: '4m',
      summary: 'No instance of the database answers.',
    },
    silent: { series: { 'cnpg_collector_up{job="database"}': '1x4 0x2 1x20' }, at: '4m' },
  },
  DatabaseConnectionFromOutside: {
    fires: {
      series: {
        'cnpg_palisade_outside_connections{job="database",pod="palisade-db-1"}': '0x4 2x8',
      },
      at: '2m',
      labels: { pod: 'palisade-db-1' },
      summary: 'On palisade-db-1 2 sessions come from outside of the cluster.',
    },
    silent: {
      series: { 'cnpg_palisade_outside_connections{job="database",pod="palisade-db-1"}': '0x20' },
      at: '4m',
    },
  },
  DatabaseConnectionErrors: {
    fires: {
      series: {
        'palisade_audit_seal_failures_total{job="sealer",reason="ECONNREFUSED"}': '0+3x60',
      },
      at: '10m',
      summary: 'Work on the database fails 0.2 times a second.',
    },
    silent: {
      series: {
        'palisade_audit_seal_failures_total{job="sealer",reason="ERR_AUDIT_UNCONFIRMED"}': '0+3x60',
        // A fail-over: four attempts, then it is over.
        'palisade_audit_seal_failures_total{job="sealer",reason="57P01"}': '0+1x4 4x56',
      },
      at: '10m',
    },
  },
  DatabaseConnectionsNearLimit: {
    fires: {
      series: {
        [`${BACKENDS},usename="palisade_app_a"}`]: '45x60',
        [`${BACKENDS},usename="palisade_app_b"}`]: '40x60',
        [LIMIT]: '100x60',
        // After a restart the pod's former address is a second series for a while.
        [LIMIT.replace('}', ',instance="10.0.0.9:9187"}')]: '100x60',
      },
      at: '12m',
      labels: { pod: 'palisade-db-1' },
      summary: 'Of its connections palisade-db-1 has 85% in use.',
    },
    silent: {
      series: { [`${BACKENDS},usename="palisade_app_a"}`]: '79x60', [LIMIT]: '100x60' },
      at: '12m',
    },
  },
}

/** Filled again at once, and nevertheless told. */
export const PLACE_EMPTIED: AlertCase['fires'] = {
  series: {
    'palisade_audit_empty_place_timestamp_seconds{job="sealer",sink="object-store"}': '0x80',
    'palisade_audit_empty_place_timestamp_seconds{job="sealer",sink="vault"}': '0x20 300x60',
  },
  at: '12m',
  labels: { sink: 'vault' },
  summary: 'Checkpoints of the audit log do not reach vault, or were gone from it.',
}

/** Nothing is measured then, and that must not pass for nothing to seal. */
export const SEALER_GONE: AlertCase['fires'] = {
  series: {},
  at: '4m',
  summary: 'Audit records wait unsealed.',
}

/** It has no silent case: its silence is the alarm. */
export const HEARTBEAT_CASE: AlertCase['fires'] = {
  series: {},
  at: '1m',
  summary: 'The path of alerts works.',
}
