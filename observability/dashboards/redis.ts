import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { now, overTime } from './panel.ts'

/** The server exports no metrics; it is seen through the gateway, which asks it at each request. */
export const REDIS: DashboardWish = {
  uid: 'palisade-redis',
  title: 'Redis',
  tells: 'Do the replicas of the gateway reach Redis, and what do they do without it?',
  rows: {
    Alerts: [
      alertTiles(['RedisDown', 'RateLimitViolations'], 16),
      now({
        title: 'Reached',
        tells:
          'Share of the gateways that reach Redis. Without it each keeps its part of the limits alone.',
        unit: 'percentunit',
        queries: { reached: 'avg(palisade_check_ok{job="gateway",check="redis"})' },
        bad: { below: 1 },
        alerts: ['RedisDown'],
        span: 8,
      }),
    ],
    'Seen by the gateway': [
      overTime({
        title: 'Reached by replica',
        tells: '1 while this replica reaches Redis, as at its last readiness probe.',
        unit: 'none',
        queries: { '{{pod}}': 'max by (pod) (palisade_check_ok{job="gateway",check="redis"})' },
        alerts: ['RedisDown'],
      }),
      overTime({
        title: 'Decisions without Redis',
        tells:
          'Limit decisions a second that a replica made alone. Limits are stricter then, not absent.',
        unit: 'ops',
        queries: {
          '{{pod}}':
            'sum by (pod) (rate(palisade_limiter_fallback_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 0 },
        alerts: ['RedisDown'],
      }),
      overTime({
        title: 'Refused for their number',
        tells:
          'Requests a second over their limit, by endpoint. A rise when Redis goes is the stricter share of each replica.',
        unit: 'reqps',
        queries: {
          '{{exported_endpoint}}':
            'sum by (exported_endpoint) (rate(rate_limit_exceeded_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 1 },
        alerts: ['RateLimitViolations'],
      }),
    ],
  },
}
