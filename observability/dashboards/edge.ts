import { alertTiles } from './alert-tiles.ts'
import type { DashboardWish } from './dashboard.ts'
import { LATENCY } from './gateway.ts'
import { now, overTime } from './panel.ts'

const EDGE = 'job="cert-manager",exported_namespace="palisade-edge"'

/** NGINX itself exports no metrics; what it refuses stands in its log. */
export const EDGE_DASHBOARD: DashboardWish = {
  uid: 'palisade-edge',
  title: 'Edge',
  tells:
    'What passes the edge, seen from behind it. What the edge itself refuses stands in its log.',
  rows: {
    Alerts: [
      alertTiles(['CertificateNotRenewed', 'RateLimitViolations', 'GatewayDown'], 16),
      now({
        title: 'Certificate expires in',
        tells: 'Life left of the certificate that the edge shows to the outside.',
        unit: 's',
        queries: {
          '{{name}}': `min by (name) (certmanager_certificate_expiration_timestamp_seconds{${EDGE}} - time())`,
        },
        bad: { below: 86_400 },
        span: 8,
      }),
    ],
    'Behind the edge': [
      overTime({
        title: 'Requests that passed',
        tells:
          'Requests a second that the edge handed to the gateway. None, while the gateway answers: the edge is away.',
        unit: 'reqps',
        queries: { requests: 'sum(rate(http_requests_total{job="gateway"}[$__rate_interval]))' },
      }),
      overTime({
        title: 'Duration behind the edge',
        tells:
          'Slowest hundredth, without the way through the edge. Slow here is slow in the gateway, not in the edge.',
        unit: 's',
        queries: { p99: LATENCY(0.99) },
        bad: { above: 1 },
        alerts: ['LatencyHigh'],
      }),
      overTime({
        title: 'Refused behind the edge',
        tells:
          'Requests a second that the gateway refused for their number, by endpoint: the edge let them pass.',
        unit: 'reqps',
        queries: {
          '{{exported_endpoint}}':
            'sum by (exported_endpoint) (rate(rate_limit_exceeded_total{job="gateway"}[$__rate_interval]))',
        },
        bad: { above: 1 },
        alerts: ['RateLimitViolations'],
      }),
    ],
    Certificate: [
      overTime({
        title: 'Time left for renewal',
        tells:
          'Share that is left of the time kept for the renewal: above 100 % it is not due yet.',
        unit: 'percentunit',
        queries: {
          '{{name}}': `min by (name) ((certmanager_certificate_expiration_timestamp_seconds{${EDGE}} - time()) / (certmanager_certificate_expiration_timestamp_seconds{${EDGE}} - certmanager_certificate_renewal_timestamp_seconds{${EDGE}}))`,
        },
        bad: { below: 0.75 },
        alerts: ['CertificateNotRenewed'],
        span: 24,
      }),
    ],
  },
}
