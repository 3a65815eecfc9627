import type { Alert } from '../alert.ts'
import { fresh } from '../fresh.ts'

// One per pod: for five minutes after a restart its former address is a second series.
const MAX = 'max by (pod) (cnpg_pg_settings_setting{job="database",name="max_connections"})'

export const DATABASE: readonly Alert[] = [
  {
    name: 'DatabaseDown',
    expr: `absent(${fresh('cnpg_collector_up{job="database"}')} == 1)`,
    for: '1m',
    severity: 'page',
    summary: 'No instance of the database answers.',
    description: 'The gateway answers 503, nothing is sealed, and rotations of its users wait.',
  },
  {
    name: 'DatabaseConnectionFromOutside',
    expr: 'max by (pod) (cnpg_palisade_outside_connections{job="database"}) > 0',
    for: '0s',
    severity: 'page',
    summary: 'On {{ $labels.pod }} {{ $value }} sessions come from outside of the cluster.',
    description:
      'Nothing outside is meant to reach the database: a network policy is gone, or somebody with rights in the cluster opened a tunnel.',
  },
  {
    name: 'DatabaseConnectionErrors',
    // The sealer always works on a connection, so it sees first when there is none. Words of our own
    // (ERR_…) name other causes.
    expr: 'sum(rate(palisade_audit_seal_failures_total{job="sealer",reason!~"ERR_.*"}[5m])) > 0.02',
    for: '2m',
    severity: 'page',
    summary: 'Work on the database fails {{ printf "%.1f" $value }} times a second.',
    description:
      'Connections are refused, cut or time out, though the server may well be running: network, certificate, password or limit.',
  },
  {
    name: 'DatabaseConnectionsNearLimit',
    expr: `sum by (pod) (cnpg_backends_total{job="database"}) / on (pod) ${MAX} > 0.8`,
    for: '10m',
    severity: 'ticket',
    summary: 'Of its connections {{ $labels.pod }} has {{ $value | humanizePercentage }} in use.',
    description:
      'When none is left, new logins are refused: first of consumers, then of the platform.',
  },
  {
    name: 'PurgeFailing',
    // One attempt a minute, for what lives a day: only failures that go on are somebody's work.
    expr: 'sum(increase(palisade_purge_failures_total{job="sealer"}[1h])) > 30',
    for: '15m',
    severity: 'ticket',
    summary:
      'Old rows could not be taken away: {{ printf "%.0f" $value }} attempts failed in an hour.',
    description:
      'Nothing is lost and no answer changes; the table of idempotency keys grows until it works again.',
  },
]
