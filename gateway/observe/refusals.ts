import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { GatewayEventType } from '#api/audit-event'
import type { Clock } from '#core/clock'
import type { PalisadeError } from '#core/problem'
import { redact } from '#core/redact'
import { clientNetwork } from '../limits/client-address.ts'
import { LocalLimiter } from '../limits/local-limiter.ts'
import type { LimitPolicy } from '../limits/policy.ts'
import type { AuditRow, Caller, Store, Workload } from '../ports.ts'
import { originOf } from '../request-origin.ts'
import '../internal/route-config.ts'
import type { AuditWriter } from '../services/audit.ts'
import type { GatewayMetrics } from './metrics.ts'
import { RefusalCounts } from './refusal-counts.ts'

/** Rows per principal; the surplus of a minute is one record with a count. */
const ROWS_PER_PRINCIPAL: LimitPolicy = {
  name: 'refusal-rows',
  limit: 30,
  periodMs: 60_000,
  withoutRedis: 'local',
}

export interface RefusalDeps {
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly audit: AuditWriter
  readonly store: Pick<Store, 'appendAudit'>
  readonly metrics: GatewayMetrics
  readonly committed: (row: AuditRow) => void
}

/** Records what was refused or failed: a row where the principal is known, a counter where nobody is. */
export class Refusals {
  readonly #deps: RefusalDeps
  readonly #rows = new LocalLimiter()
  readonly #unknown = new RefusalCounts()
  readonly #surplus = new RefusalCounts()

  constructor(deps: RefusalDeps) {
    this.#deps = deps
  }

  onProblem(
    problem: PalisadeError,
    request: FastifyRequest,
    cause: unknown,
  ): Promise<void> | undefined {
    const route = request.routeOptions.url ?? 'unknown'
    if (problem.status >= 500) {
      const keys = { request: request.id, route, code: problem.code, error: redact(cause) }
      this.#deps.log.error(keys, 'Failed to answer a request')
    }
    const principal = request.caller ?? request.workload
    if (!principal) {
      const refusal = { reason: problem.code, route, source: clientNetwork(request.ip) }
      this.#unknown.add(refusal, this.#deps.clock.now())
      this.#deps.metrics.refusalsUnknown.inc({ reason: problem.code, route })
      return undefined
    }
    const eventType = eventTypeOf(problem.status)
    return eventType && this.#writeRow(eventType, problem, request, principal)
  }

  /** Once a minute and at shutdown: what was counted becomes one record. */
  async flush(): Promise<void> {
    await this.#flushCounts('unauthenticated', this.#unknown)
    await this.#flushCounts('surplus', this.#surplus)
  }

  async #writeRow(
    eventType: GatewayEventType,
    problem: PalisadeError,
    request: FastifyRequest,
    principal: Caller | Workload,
  ) {
    const route = request.routeOptions.url ?? 'unknown'
    const caller = 'userId' in principal ? principal : null
    const id = 'userId' in principal ? principal.userId : principal.id
    if (!this.#rows.take(ROWS_PER_PRINCIPAL, id).allowed) {
      const refusal = { reason: problem.code, route, source: id }
      this.#surplus.add(refusal, this.#deps.clock.now())
      return
    }
    const outcome = eventType === 'request.failed' ? 'failed' : 'refused'
    const subject = { kind: 'route', id: route } as const
    const happening = { eventType, outcome, subject, code: problem.code } as const
    const { audit } = this.#deps
    const row = await (
      'userId' in principal
        ? audit.ofCaller(principal, originOf(request), happening)
        : Promise.resolve(audit.ofWorkload(principal, originOf(request), happening))
    ).catch((error: unknown) => this.#lost(error))
    if (row) await this.#append(caller, row)
  }

  async #flushCounts(kind: string, from: RefusalCounts): Promise<void> {
    const counts = from.take()
    const top = counts[0]
    if (!top) return
    const row = this.#deps.audit.ofPlatform({
      eventType: 'refusals.counted',
      outcome: 'refused',
      subject: { kind: 'log', id: kind },
      details: {
        total: counts.reduce((sum, { count }) => sum + count, 0),
        kinds: counts.length,
        sources: new Set(counts.map(({ source }) => source)).size,
        first: counts.map(({ first }) => first).sort()[0] ?? top.first,
        last:
          counts
            .map(({ last }) => last)
            .sort()
            .at(-1) ?? top.last,
        mostReason: top.reason,
        mostRoute: top.route,
        mostCount: top.count,
      },
    })
    await this.#append(null, row)
  }

  async #append(caller: Caller | null, row: AuditRow): Promise<void> {
    try {
      await this.#deps.store.appendAudit(caller, row)
      this.#deps.committed(row)
    } catch (error) {
      this.#lost(error)
    }
  }

  /** A refusal stays one when its record cannot be written: nothing was handed out. */
  #lost(error: unknown): undefined {
    this.#deps.metrics.auditFailures.inc()
    this.#deps.log.error({ error: redact(error) }, 'Could not record a refusal')
  }
}

/** What a caller did wrong in form (400, 404, 409) changed nothing and is no decision about rights. */
function eventTypeOf(status: number): GatewayEventType | undefined {
  if (status === 403) return 'access.refused'
  if (status === 429) return 'request.rate-limited'
  return status >= 500 ? 'request.failed' : undefined
}
