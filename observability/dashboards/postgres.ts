import { fresh } from '../fresh.ts'
import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'

const DB = 'job="database"'
const perSecond = (metric: string) => `sum by (datname) (rate(${metric}{${DB}}[$__rate_interval]))`
const MAX = `max by (pod) (cnpg_pg_settings_setting{${DB},name="max_connections"})`
const IN_USE = `sum by (pod) (cnpg_backends_total{${DB}}) / on (pod) ${MAX}`

export const POSTGRES: DashboardWish = {
  uid: 'palisade-postgres',
  title: 'PostgreSQL',
  tells: 'Does the database answer, who is connected to it, and what does it do?',
  rows: {
    Alerts: [
      alertTiles(
        [
          'DatabaseDown',
          'DatabaseConnectionErrors',
          'DatabaseConnectionFromOutside',
          'DatabaseConnectionsNearLimit',
          'PurgeFailing',
        ],
        16,
      ),
      now({
        title: 'Instances',
        tells: 'Instances that answer their own exporter. With none the gateway answers 503.',
        unit: 'none',
        queries: { instances: `sum(${fresh(`cnpg_collector_up{${DB}}`)})` },
        bad: { below: 1 },
        alerts: ['DatabaseDown'],
      }),
      now({
        title: 'Connections in use',
        tells:
          'Share of the connections that an instance allows. When none is left, logins are refused.',
        unit: 'percentunit',
        queries: { '{{pod}}': IN_USE },
        bad: { above: 0.8 },
        alerts: ['DatabaseConnectionsNearLimit'],
      }),
    ],
    Connections: [
      overTime({
        title: 'Connections by user',
        tells: 'Both users of a pair appear while a rotation lets the old one finish.',
        unit: 'none',
        queries: { '{{usename}}': `sum by (usename) (cnpg_backends_total{${DB}})` },
      }),
      overTime({
        title: 'Sessions from outside',
        tells:
          'Sessions whose client is no pod of the cluster, a tunnel included. In order there are none.',
        unit: 'none',
        queries: { '{{pod}}': `max by (pod) (cnpg_palisade_outside_connections{${DB}})` },
        bad: { above: 0 },
        alerts: ['DatabaseConnectionFromOutside'],
      }),
      overTime({
        title: 'Connections in use',
        tells: 'Share of the connections that an instance allows.',
        unit: 'percentunit',
        queries: { '{{pod}}': IN_USE },
        bad: { above: 0.8 },
        alerts: ['DatabaseConnectionsNearLimit'],
      }),
      overTime({
        title: 'Work that failed',
        tells:
          'Batches a second that the sealer could not seal, by reason. It is always connected, so it sees first when the database is away.',
        unit: 'ops',
        queries: {
          '{{reason}}':
            'sum by (reason) (rate(palisade_audit_seal_failures_total{job="sealer",reason!~"checkpoint|ERR_.*"}[$__rate_interval]))',
        },
        bad: { above: 0.02 },
        alerts: ['DatabaseConnectionErrors'],
      }),
    ],
    Work: [
      overTime({
        title: 'Transactions',
        tells: 'Committed transactions a second, by database.',
        unit: 'ops',
        queries: { '{{datname}}': perSecond('cnpg_pg_stat_database_xact_commit') },
      }),
      overTime({
        title: 'Rolled back',
        tells:
          'Transactions a second that were given up. Some are a race that was lost; many are a fault.',
        unit: 'ops',
        queries: { '{{datname}}': perSecond('cnpg_pg_stat_database_xact_rollback') },
      }),
      overTime({
        title: 'Longest transaction',
        tells: 'Age of the oldest open transaction. Locks that it holds make others wait.',
        unit: 's',
        queries: {
          '{{usename}}': `max by (usename) (cnpg_backends_max_tx_duration_seconds{${DB}})`,
        },
      }),
      overTime({
        title: 'Deadlocks',
        tells: 'In the last hour, by database. In order there are none.',
        unit: 'none',
        queries: {
          '{{datname}}': `sum by (datname) (increase(cnpg_pg_stat_database_deadlocks{${DB}}[1h]))`,
        },
      }),
      overTime({
        title: 'Age of transaction numbers',
        tells:
          'Transactions since the oldest one that vacuum has not frozen. Far below two thousand million, or the server stops.',
        unit: 'none',
        queries: { '{{datname}}': `max by (datname) (cnpg_pg_database_xid_age{${DB}})` },
        bad: { above: 1_000_000_000 },
      }),
      overTime({
        title: 'Size',
        tells: 'Bytes by database. The audit log is kept, so it only grows.',
        unit: 'bytes',
        queries: { '{{datname}}': `max by (datname) (cnpg_pg_database_size_bytes{${DB}})` },
      }),
      overTime({
        title: 'Attempts to take old rows away that failed',
        tells: 'In an hour, of at most sixty. Idempotency keys go after their day. In order 0.',
        unit: 'none',
        queries: { failed: 'sum(increase(palisade_purge_failures_total{job="sealer"}[1h]))' },
        bad: { above: 30 },
        alerts: ['PurgeFailing'],
      }),
      overTime({
        title: 'Write-ahead log',
        tells:
          'Bytes of the log on the volume. When it only grows, an archive or a replica does not take it.',
        unit: 'bytes',
        queries: { '{{pod}}': `max by (pod) (cnpg_collector_pg_wal{${DB},value="size"})` },
      }),
    ],
  },
}
