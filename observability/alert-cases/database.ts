import type { AlertCase } from './alert-case.ts'

const BACKENDS = 'cnpg_backends_total{job="database",pod="palisade-db-1"'
const LIMIT = 'cnpg_pg_settings_setting{job="database",pod="palisade-db-1",name="max_connections"}'

export const DATABASE_CASES: Readonly<Record<string, AlertCase>> = {
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
