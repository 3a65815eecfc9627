import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'

const ROUTES = 'job="gateway",route=~"/api/secrets.*"'
const perSecond = (by: string, more = '') =>
  `sum by (${by}) (rate(http_requests_total{${ROUTES}${more}}[$__rate_interval]))`

export const SECRETS: DashboardWish = {
  uid: 'palisade-secrets',
  title: 'Secrets',
  tells: 'Who stores and reads how many secrets, how fast, and what is refused.',
  rows: {
    Alerts: [
      alertTiles(['ErrorRateHigh', 'LatencyHigh', 'AuditWriteFailures'], 16),
      now({
        title: 'Keys found in memory',
        tells:
          'Share of data keys that needed no call of the secret store. They are kept for five minutes, so rare reads lower it.',
        unit: 'percentunit',
        queries: {
          share:
            'sum(increase(palisade_data_key_unwrap_total{job="gateway",source="cache"}[1h])) / sum(increase(palisade_data_key_unwrap_total{job="gateway"}[1h]))',
        },
        span: 8,
      }),
    ],
    Use: [
      overTime({
        title: 'Calls by method',
        tells: 'GET reads or lists, PUT stores, DELETE removes; each is in the audit log.',
        unit: 'reqps',
        queries: { '{{method}} {{route}}': perSecond('method, route') },
      }),
      overTime({
        title: 'Answers by status',
        tells:
          '403 is a right that is missing, 404 a secret that is not there or not shared, 409 and 412 a version that somebody else wrote.',
        unit: 'reqps',
        queries: { '{{status}}': perSecond('status') },
        alerts: ['ErrorRateHigh'],
      }),
      overTime({
        title: 'Duration by method',
        tells: 'Slowest hundredth. A read whose key is not in memory waits for the secret store.',
        unit: 's',
        queries: {
          '{{method}}': `histogram_quantile(0.99, sum by (le, method) (rate(http_request_duration_seconds_bucket{${ROUTES}}[$__rate_interval])))`,
        },
        bad: { above: 1 },
        alerts: ['LatencyHigh'],
      }),
    ],
    Keys: [
      overTime({
        title: 'Data keys asked for',
        tells:
          'A second, by where they were found: cache is this process, wrapper is a call of the secret store.',
        unit: 'ops',
        queries: {
          '{{source}}':
            'sum by (source) (rate(palisade_data_key_unwrap_total{job="gateway"}[$__rate_interval]))',
        },
        span: 12,
      }),
      overTime({
        title: 'Refusals that could not be recorded',
        tells:
          'Refusals a second without an audit record. In order 0; accepted requests fail without theirs.',
        unit: 'ops',
        queries: {
          lost: 'sum(rate(palisade_audit_write_failures_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 0 },
        alerts: ['AuditWriteFailures'],
        span: 12,
      }),
    ],
  },
}
