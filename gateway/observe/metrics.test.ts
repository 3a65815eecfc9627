import { expect, it } from 'vitest'
import { GatewayMetrics } from './metrics.ts'

// Dashboards and alerts are written against these names and labels.
it.each([
  ['http_request_duration_seconds', ['method', 'route']],
  ['http_requests_total', ['method', 'route', 'status']],
  ['rate_limit_exceeded_total', ['endpoint']],
  ['auth_login_total', ['status', 'provider']],
  ['db_query_duration_seconds', ['operation']],
  ['db_connection_errors_total', []],
  ['nodejs_eventloop_lag_seconds', []],
  ['nodejs_eventloop_lag_p99_seconds', []],
])('the gateway measures %s by %o', (name, labels) => {
  const metric = new GatewayMetrics().registry.getSingleMetric(name)
  expect((metric as unknown as { labelNames?: string[] } | undefined)?.labelNames).toEqual(labels)
})

// What begins at its first event hides that event from every rate.
it.each([
  ['auth_login_total', 'status="failure",provider="local"'],
  ['palisade_audit_intake_entries_total', 'outcome="accepted"'],
  ['palisade_audit_intake_entries_total', 'outcome="conflict"'],
  ['palisade_audit_refused_total', 'reason="ERR_AUDIT_STORAGE_FULL"'],
  ['palisade_token_reviews_total', 'result="account",source="review"'],
])('%s begins at 0 for %s', async (name, labels) => {
  expect(await new GatewayMetrics().registry.metrics()).toContain(`${name}{${labels}} 0\n`)
})
