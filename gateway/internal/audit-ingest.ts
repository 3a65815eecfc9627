import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { IngestRequest } from '#api/rest/audit-ingest'
import { PalisadeError } from '#core/problem'
import { retryAfterField } from '../limits/headers.ts'
import { LocalLimiter } from '../limits/local-limiter.ts'
import type { LimitPolicy } from '../limits/policy.ts'
import type { GatewayMetrics } from '../observe/metrics.ts'
import { originOf } from '../request-origin.ts'
import type { AuditIntake } from '../services/audit-intake.ts'
import './route-config.ts'

export interface AuditIngestDeps {
  readonly intake: AuditIntake
  readonly metrics: Pick<GatewayMetrics, 'rateLimitExceeded'>
  /** Counted in this process; a test may bring its own. */
  readonly entries?: LocalLimiter
}

const NoQuery = Type.Object({}, { additionalProperties: false })

/**
 * Of one account, whatever becomes of them: nothing in the log can be taken away again, so a token in wrong hands may
 * not fill it as fast as it can send. The backlog of ten thousand rotations and a day is told in twenty minutes.
 */
const ENTRIES: LimitPolicy = {
  name: 'intake-entries',
  limit: 6_000,
  periodMs: 60_000,
  withoutRedis: 'local',
}

/** The schema names every action that the operator may report; the route serves the operator and nobody else. */
export const auditIngestRoutes = (deps: AuditIngestDeps) => (app: FastifyInstance) => {
  const { intake, metrics, entries: quota = new LocalLimiter() } = deps
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .post(
      '/audit/ingest',
      { config: { workload: 'operator' }, schema: { querystring: NoQuery, body: IngestRequest } },
      async (request, reply) => {
        const { workload } = request
        const { entries } = request.body
        // A recognised one always is there; this is the second lock on the door.
        if (!workload) throw new PalisadeError('ERR_UNAUTHENTICATED', 'nobody is known here')
        const decision = quota.take(ENTRIES, workload.id, entries.length)
        if (!decision.allowed) {
          metrics.rateLimitExceeded.inc({ endpoint: '/audit/ingest' })
          reply.header('retry-after', retryAfterField(decision))
          const detail = `at most ${ENTRIES.limit} entries a minute`
          throw new PalisadeError('ERR_RATE_LIMITED', detail)
        }
        return intake.take(workload, originOf(request), entries)
      },
    )
}
