import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Names are part of the interface: dashboards and alerts use them. No label takes a value that a client chooses. */
export class GatewayMetrics {
  readonly registry = new Registry()
  readonly requestDuration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['method', 'route'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  })
  readonly requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered requests',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [this.registry],
  })
  readonly rateLimitExceeded = new Counter({
    name: 'rate_limit_exceeded_total',
    help: 'Requests refused with 429',
    labelNames: ['endpoint'] as const,
    registers: [this.registry],
  })
  readonly limiterFallbacks = new Counter({
    name: 'palisade_limiter_fallback_total',
    help: 'Limit decisions made by this replica alone, since Redis did not answer',
    registers: [this.registry],
  })
  readonly refusalsUnknown = new Counter({
    name: 'palisade_refusals_unauthenticated_total',
    help: 'Requests refused before anybody was known',
    labelNames: ['reason', 'route'] as const,
    registers: [this.registry],
  })
  readonly refusalsHeld = new Counter({
    name: 'palisade_refusals_held_total',
    help: 'Refusals of unknown callers that were answered later because there were too many at once',
    registers: [this.registry],
  })
  readonly refusalFlushFailures = new Counter({
    name: 'palisade_refusal_flush_failures_total',
    help: 'Attempts to write counted refusals that failed; the counts are kept and offered again',
    registers: [this.registry],
  })
  readonly auditFailures = new Counter({
    name: 'palisade_audit_write_failures_total',
    help: 'Audit records that could not be written',
    registers: [this.registry],
  })
  readonly auditRefused = new Counter({
    name: 'palisade_audit_refused_total',
    help: 'Requests refused since no audit record could be written, by code; nothing was done',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })
  readonly volumeUsed = new Gauge({
    name: 'palisade_audit_volume_used_bytes',
    help: 'What is taken of the volume that holds the audit log, by part; wal is its configured bound where the server does not let us list it',
    labelNames: ['part'] as const,
    registers: [this.registry],
  })
  readonly volumeCapacity = new Gauge({
    name: 'palisade_audit_volume_capacity_bytes',
    help: 'Room of that volume as it was configured; 0 means that nobody said, and that nothing is refused for want of room',
    registers: [this.registry],
  })
  readonly volumeWatermark = new Gauge({
    name: 'palisade_audit_volume_watermark',
    help: '0 below 90 %; 1 from there: refusals are counted without their sources; 2 from 95 %: audited requests are refused',
    registers: [this.registry],
  })
  readonly volumeFailures = new Counter({
    name: 'palisade_audit_volume_failures_total',
    help: 'Attempts to measure that volume that failed; the last answer holds',
    registers: [this.registry],
  })
  readonly intake = new Counter({
    name: 'palisade_audit_intake_entries_total',
    help: 'Steps that the operator told, by what became of them',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  })
  readonly tokenReviews = new Counter({
    name: 'palisade_token_reviews_total',
    help: 'Tokens of workloads looked at, by what the API server said and where that was found',
    labelNames: ['result', 'source'] as const,
    registers: [this.registry],
  })
  readonly databaseQueries = new Histogram({
    name: 'db_query_duration_seconds',
    help: 'Time of a statement, by its name, with the wait for a connection',
    labelNames: ['operation'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  })
  readonly databaseConnectionErrors = new Counter({
    name: 'db_connection_errors_total',
    help: 'Statements whose connection could not be had or broke',
    registers: [this.registry],
  })
  readonly passwordsRefused = new Counter({
    name: 'palisade_password_checks_refused_total',
    help: 'Logins refused since too many passwords were being checked',
    registers: [this.registry],
  })
  readonly logins = new Counter({
    name: 'auth_login_total',
    help: 'Logins by outcome',
    labelNames: ['status', 'provider'] as const,
    registers: [this.registry],
  })
  readonly unwraps = new Counter({
    name: 'palisade_data_key_unwrap_total',
    help: 'Data keys asked for, by where they were found',
    labelNames: ['source'] as const,
    registers: [this.registry],
  })

  readonly checks = new Gauge({
    name: 'palisade_check_ok',
    help: '1 while what this replica rests on answers, as at its last readiness probe',
    labelNames: ['check'] as const,
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    // A counter that begins at its first event hides that event from every rate.
    for (const status of ['success', 'failure']) this.logins.inc({ status, provider: 'local' }, 0)
    this.auditRefused.inc({ reason: 'ERR_AUDIT_STORAGE_FULL' }, 0)
    for (const source of ['cache', 'wrapper']) this.unwraps.inc({ source }, 0)
    for (const outcome of ['accepted', 'repeated', 'conflict']) this.intake.inc({ outcome }, 0)
    this.tokenReviews.inc({ result: 'account', source: 'review' }, 0)
  }

  /** A gauge that is read when somebody scrapes. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read())
      },
    })
  }
}
