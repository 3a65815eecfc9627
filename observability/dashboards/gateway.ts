import { fresh } from '../fresh.ts'
import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'
import { replicaOf } from './variables.ts'

const REPLICA = 'job="gateway",pod=~"$replica"'
const perSecond = (metric: string, by: string, more = '') =>
  `sum by (${by}) (rate(${metric}{${REPLICA}${more}}[$__rate_interval]))`

// Not by the failures, which have no series before the first one: no data must mean a broken query.
export const FAILED_SHARE =
  '1 - sum(rate(http_requests_total{job="gateway",status!~"5.."}[5m])) / sum(rate(http_requests_total{job="gateway"}[5m]))'
export const LATENCY = (quantile: number) =>
  `histogram_quantile(${quantile}, sum by (le) (rate(http_request_duration_seconds_bucket{job="gateway"}[5m])))`

export const GATEWAY: DashboardWish = {
  uid: 'palisade-gateway',
  title: 'Gateway',
  tells: 'What callers ask for, what they get, how long it takes, and what holds the process back.',
  variables: [replicaOf('gateway')],
  rows: {
    Alerts: [
      alertTiles(
        [
          'GatewayDown',
          'ErrorRateHigh',
          'LatencyHigh',
          'RateLimitViolations',
          'FailedLoginSurge',
          'AuthSuccessRateLow',
        ],
        16,
      ),
      now({
        title: 'Replicas',
        tells: 'Replicas that Prometheus reaches. With none every request fails.',
        unit: 'none',
        queries: { replicas: `sum(${fresh('up{job="gateway"}')})` },
        bad: { below: 1 },
        alerts: ['GatewayDown'],
      }),
      now({
        title: 'Failed share',
        tells: 'Share of answers that are errors of the platform (5xx). In order it is 0 %.',
        unit: 'percentunit',
        queries: { failed: FAILED_SHARE },
        bad: { above: 0.02 },
        alerts: ['ErrorRateHigh'],
      }),
    ],
    'Requests, errors, duration': [
      overTime({
        title: 'Requests by route',
        tells: 'Answered requests a second. A path that nobody registered counts as unknown.',
        unit: 'reqps',
        queries: { '{{method}} {{route}}': perSecond('http_requests_total', 'method, route') },
      }),
      overTime({
        title: 'Answers by status',
        tells:
          '4xx is what callers did wrong, 5xx what the platform did wrong; 503 is a part that is away.',
        unit: 'reqps',
        queries: { '{{status}}': perSecond('http_requests_total', 'status') },
        alerts: ['ErrorRateHigh'],
      }),
      overTime({
        title: 'Duration',
        tells:
          'Half, nine tenths and all but a hundredth of the requests are faster than these lines.',
        unit: 's',
        queries: { p50: LATENCY(0.5), p90: LATENCY(0.9), p99: LATENCY(0.99) },
        bad: { above: 1 },
        alerts: ['LatencyHigh'],
      }),
      overTime({
        title: 'Slowest hundredth by route',
        tells:
          'Which route is slow: one request in a hundred takes longer. A login is slow on purpose.',
        unit: 's',
        queries: {
          '{{method}} {{route}}': `histogram_quantile(0.99, ${perSecond('http_request_duration_seconds_bucket', 'le, method, route')})`,
        },
        alerts: ['LatencyHigh'],
        span: 12,
      }),
      overTime({
        title: 'Errors by route',
        tells: 'Answers of 400 and above by route and status: where callers or the platform fail.',
        unit: 'reqps',
        queries: {
          '{{status}} {{route}}': perSecond(
            'http_requests_total',
            'route, status',
            ',status=~"[45].."',
          ),
        },
        alerts: ['ErrorRateHigh'],
        span: 12,
      }),
    ],
    'Limits and refusals': [
      overTime({
        title: 'Refused for their number',
        tells: 'Requests a second answered with 429, by endpoint. At the login it may be guessing.',
        unit: 'reqps',
        queries: {
          '{{exported_endpoint}}': perSecond('rate_limit_exceeded_total', 'exported_endpoint'),
        },
        bad: { above: 1 },
        alerts: ['RateLimitViolations'],
      }),
      overTime({
        title: 'Refused before anybody was known',
        tells:
          'Requests a second without a good token, by error code. They are counted, and recorded once a minute. "held": a replica answers 200 of them a second, and what comes beyond later.',
        unit: 'reqps',
        queries: {
          '{{reason}}': perSecond('palisade_refusals_unauthenticated_total', 'reason'),
          held: 'sum(rate(palisade_refusals_held_total{job="gateway"}[$__rate_interval]))',
        },
      }),
      overTime({
        title: 'Decisions without Redis',
        tells:
          'Limit decisions a second that a replica made alone, since Redis did not answer. In order 0.',
        unit: 'ops',
        queries: { '{{pod}}': perSecond('palisade_limiter_fallback_total', 'pod') },
        bad: { above: 0 },
      }),
      overTime({
        title: 'Logins',
        tells: 'Logins a second by outcome. Many failures and hardly a success is guessing.',
        unit: 'ops',
        queries: {
          '{{status}} by {{provider}}': perSecond('auth_login_total', 'status, provider'),
        },
        alerts: ['FailedLoginSurge', 'AuthSuccessRateLow'],
      }),
      overTime({
        title: 'Logins refused for their cost',
        tells:
          'Logins a second refused since too many passwords were being checked at once. In order 0.',
        unit: 'ops',
        queries: { '{{pod}}': perSecond('palisade_password_checks_refused_total', 'pod') },
        bad: { above: 0 },
      }),
      overTime({
        title: 'Tokens of workloads',
        tells:
          'Tokens of service accounts looked at a second, by what the API server said and where that was found.',
        unit: 'ops',
        queries: {
          '{{result}} from {{source}}': perSecond('palisade_token_reviews_total', 'result, source'),
        },
      }),
    ],
    Process: [
      overTime({
        title: 'Event-loop lag',
        tells:
          'How late the process is at its work, slowest hundredth. Above 0.1 s it has too little CPU or computes too long.',
        unit: 's',
        queries: { '{{pod}}': `nodejs_eventloop_lag_p99_seconds{${REPLICA}}` },
        bad: { above: 0.1 },
        alerts: ['LatencyHigh'],
      }),
      overTime({
        title: 'CPU',
        tells: 'Seconds of CPU a second, by replica. Node uses hardly more than 1.',
        unit: 'none',
        queries: { '{{pod}}': perSecond('process_cpu_seconds_total', 'pod') },
      }),
      overTime({
        title: 'Memory',
        tells: 'Resident memory by replica. A line that only rises is a leak.',
        unit: 'bytes',
        queries: { '{{pod}}': `process_resident_memory_bytes{${REPLICA}}` },
      }),
    ],
  },
}
