import type { Alert } from '../alert.ts'
import { fresh } from '../fresh.ts'

const ALL = 'sum(rate(http_requests_total{job="gateway"}[5m]))'
const FAILED = 'sum(rate(http_requests_total{job="gateway",status=~"5.."}[5m]))'

export const GATEWAY: readonly Alert[] = [
  {
    name: 'GatewayDown',
    expr: `absent(${fresh('up{job="gateway"}')} == 1)`,
    for: '1m',
    severity: 'page',
    summary: 'No gateway answers: every request fails.',
    description:
      'Nobody can log in, store or read a secret. Rotations and running consumers go on.',
  },
  {
    name: 'ErrorRateHigh',
    // Below one request in ten seconds a single failure would be a rate.
    expr: `${FAILED} / ${ALL} > 0.02 and ${ALL} > 0.1`,
    for: '5m',
    severity: 'page',
    summary: 'Of all requests {{ $value | humanizePercentage }} fail.',
    description:
      'The gateway answers, but more than 2 % of its answers are errors of its own (5xx).',
  },
  {
    name: 'LatencyHigh',
    expr: 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{job="gateway"}[5m]))) > 1',
    for: '10m',
    severity: 'ticket',
    summary: 'One request in a hundred takes longer than {{ $value | humanizeDuration }}.',
    description: 'Callers with short timeouts begin to fail, and retries make it worse.',
  },
  {
    name: 'RateLimitViolations',
    // The scrape has a label "endpoint" of its own, so the program's becomes exported_endpoint.
    expr: 'sum by (exported_endpoint) (rate(rate_limit_exceeded_total{job="gateway"}[5m])) > 1',
    for: '10m',
    severity: 'ticket',
    summary:
      'At {{ $labels.exported_endpoint }} {{ $value | humanize }} requests a second are refused for their number.',
    description:
      'A client in a loop, or somebody guessing passwords. The limit holds; who it is should be known.',
  },
  {
    name: 'AuditWriteFailures',
    expr: 'sum(increase(palisade_audit_write_failures_total{job="gateway"}[5m])) > 0',
    for: '0s',
    severity: 'page',
    summary:
      'Refused requests, or readings of the audit log, were not recorded: {{ $value | humanize }} in five minutes.',
    description:
      'What was refused stays refused, but the log has no row of it, a number at most. Who read the log in the database is kept as a note and tried each second. Accepted requests cannot be affected: they fail without their record.',
  },
  {
    name: 'RefusalCountsUnwritten',
    // Once a second each replica tries; a database that fails over takes less than a minute of them.
    expr: 'max(increase(palisade_refusal_flush_failures_total{job="gateway"}[5m])) > 240',
    for: '5m',
    severity: 'ticket',
    summary:
      'Counted refusals cannot be written: {{ $value | humanize }} attempts in five minutes.',
    description:
      'They are kept in the memory of the gateway: a replica that ends now takes its numbers with it.',
  },
]
