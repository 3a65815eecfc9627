import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { GatewayEventType } from '#api/audit-event'
import type { ErrorCode } from '#api/error-codes'
import type { Clock } from '#core/clock'
import type { PalisadeError } from '#core/problem'
import { redact } from '#core/redact'
import { clientNetwork } from '../limits/client-address.ts'
import { LocalLimiter } from '../limits/local-limiter.ts'
import type { LimitPolicy } from '../limits/policy.ts'
import { RefusalPace } from '../limits/refusal-pace.ts'
import type { AuditRow } from '../ports/audit-records.ts'
import type { Caller, Workload } from '../ports/callers.ts'
import type { RefusalKind, RefusalStore } from '../ports/refusals.ts'
import type { Store } from '../ports/store.ts'
import { originOf } from '../request-origin.ts'
import '../internal/route-config.ts'
import type { AuditWriter } from '../services/audit.ts'
import type { MacKey } from '../services/secret-heads.ts'
import type { AuditVolume } from './audit-volume.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Refusal } from './refusal-counts.ts'
import { RefusalLedger } from './refusal-ledger.ts'

/** No audit record could be written, so nothing was done. */
const UNRECORDABLE: ReadonlySet<ErrorCode> = new Set([
  'ERR_AUDIT_STORAGE_FULL',
  'ERR_AUDIT_BEHIND_CHECKPOINT',
])

/** A database that is away or full takes no row either: the answer must not wait for that a second time. */
const TAKES_NO_ROW: ReadonlySet<ErrorCode> = new Set([
  'ERR_DATABASE_UNAVAILABLE',
  'ERR_AUDIT_STORAGE_FULL',
])

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
  readonly store: Pick<Store, 'appendAudit'> & RefusalStore
  /** Keys the digests of sources. */
  readonly key: MacKey
  readonly writer: string
  readonly metrics: GatewayMetrics
  readonly committed: (row: AuditRow) => void
  /** What the audit volume still has. */
  readonly room?: Pick<AuditVolume, 'isShort' | 'isClosed'> | undefined
}

/** Records what was refused or failed: a row where the principal is known, a counter where nobody is. */
export class Refusals {
  readonly #deps: RefusalDeps
  readonly #rows = new LocalLimiter()
  readonly #ledger: RefusalLedger
  readonly #pace: RefusalPace

  constructor(deps: RefusalDeps) {
    this.#deps = deps
    const onFailure = () => deps.metrics.refusalFlushFailures.inc()
    this.#ledger = new RefusalLedger({ ...deps, onFailure })
    this.#pace = new RefusalPace({ onHeld: () => deps.metrics.refusalsHeld.inc() })
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
    if (UNRECORDABLE.has(problem.code))
      this.#deps.metrics.auditRefused.inc({ reason: problem.code })
    const principal = request.caller ?? request.workload
    if (!principal) {
      const refusal = { reason: problem.code, route, source: clientNetwork(request.ip) }
      this.#count('unauthenticated', refusal)
      this.#deps.metrics.refusalsUnknown.inc({ reason: problem.code, route })
      return this.#pace.turn()
    }
    const eventType = eventTypeOf(problem.status)
    return eventType && this.#writeRow(eventType, problem, request, principal)
  }

  /** Of a known principal, and too many to have a record of its own. */
  surplus(refusal: Refusal): void {
    this.#count('surplus', refusal)
  }

  /**
   * A number for each source is what a flood from many of them makes the log grow by. When room is short one number for
   * all of them has to do: what is left is as many as there are reasons and routes.
   */
  #count(kind: RefusalKind, refusal: Refusal): void {
    const { room } = this.#deps
    this.#ledger.add(kind, room?.isShort === true ? { ...refusal, source: 'other' } : refusal)
  }

  /** Each second, and at the end `close`: what was counted becomes one record a minute. */
  flush(): Promise<void> {
    return this.#ledger.flush()
  }

  close(): Promise<void> {
    return this.#ledger.close()
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
    const refusal = { reason: problem.code, route, source: id }
    const isCounted =
      TAKES_NO_ROW.has(problem.code) ||
      this.#deps.room?.isClosed === true ||
      !this.#rows.take(ROWS_PER_PRINCIPAL, id).allowed
    if (isCounted) return this.#count('surplus', refusal)
    const outcome = eventType === 'request.failed' ? 'failed' : 'refused'
    const subject = { kind: 'route', id: route } as const
    const happening = { eventType, outcome, subject, code: problem.code } as const
    const { audit } = this.#deps
    const row = await (
      'userId' in principal
        ? audit.ofCaller(principal, originOf(request), happening)
        : Promise.resolve(audit.ofWorkload(principal, originOf(request), happening))
    ).catch((error: unknown) => this.#lost(error))
    if (!row || !(await this.#append(caller, row))) this.#count('surplus', refusal)
  }

  async #append(caller: Caller | null, row: AuditRow): Promise<boolean> {
    try {
      await this.#deps.store.appendAudit(caller, row)
      this.#deps.committed(row)
      return true
    } catch (error) {
      this.#lost(error)
      return false
    }
  }

  /** A refusal stays one when its row cannot be written: nothing was handed out, and it is counted instead. */
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
