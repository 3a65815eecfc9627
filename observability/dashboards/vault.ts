import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'

const VAULT = 'job="cert-manager",exported_namespace="palisade-vault"'

/** Seen through the programs that use it. */
export const VAULT_DASHBOARD: DashboardWish = {
  uid: 'palisade-vault',
  title: 'Secret store',
  tells: 'Do the programs reach the secret store, and what do they ask it for?',
  rows: {
    Alerts: [
      alertTiles(['SecretStoreDown', 'AuditCheckpointMissing', 'CertificateNotRenewed'], 16),
      now({
        title: 'Reached',
        tells:
          'Share of the gateways that reach it unsealed. One that does not is not ready, and gets no requests.',
        unit: 'percentunit',
        queries: { reached: 'avg(palisade_check_ok{job="gateway",check="keys"})' },
        bad: { below: 1 },
        alerts: ['SecretStoreDown'],
        span: 8,
      }),
    ],
    'Seen by its users': [
      overTime({
        title: 'Reached by replica',
        tells: '1 while this replica reaches the secret store, as at its last readiness probe.',
        unit: 'none',
        queries: { '{{pod}}': 'max by (pod) (palisade_check_ok{job="gateway",check="keys"})' },
      }),
      overTime({
        title: 'Calls for data keys',
        tells:
          'Data keys a second that a gateway let the store unwrap, since they were not in its memory.',
        unit: 'ops',
        queries: {
          calls:
            'sum(rate(palisade_data_key_unwrap_total{job="gateway",source="wrapper"}[$__rate_interval]))',
        },
      }),
      overTime({
        title: 'Life left of its certificate',
        tells: 'It reads its certificate at start, so a new one needs a restart before this ends.',
        unit: 's',
        queries: {
          '{{name}}': `min by (name) (certmanager_certificate_expiration_timestamp_seconds{${VAULT}} - time())`,
        },
        alerts: ['CertificateNotRenewed'],
      }),
    ],
  },
}
