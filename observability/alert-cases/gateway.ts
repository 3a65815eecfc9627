import type { AlertCase } from './alert-case.ts'

const GATEWAY = 'http_requests_total{job="gateway",route="/api/secrets/:name",method="GET"'
const BUCKET = 'http_request_duration_seconds_bucket{job="gateway"'

export const GATEWAY_CASES: Readonly<Record<string, AlertCase>> = {
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
  AuditWriteFailures: {
    fires: {
      series: { 'palisade_audit_write_failures_total{job="gateway"}': '0+1x40' },
      at: '6m',
      summary:
        'Refused requests, or readings of the audit log, were not recorded: 20 in five minutes.',
    },
    silent: { series: { 'palisade_audit_write_failures_total{job="gateway"}': '7x40' }, at: '6m' },
  },
}
