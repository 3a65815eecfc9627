import type { SecureServerOptions } from 'node:http2'
import type { ServerOptions } from 'node:https'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'
import { HTTP, serverOptions } from '../app.ts'
import { clientNetwork } from '../limits/client-address.ts'
import { retryAfterField } from '../limits/headers.ts'
import { LocalLimiter } from '../limits/local-limiter.ts'
import type { LimitPolicy } from '../limits/policy.ts'
import type { Refusals } from '../observe/refusals.ts'
import { failClosed, type AuditObstacle } from '../plugins/fail-closed.ts'
import { drainConnections } from '../plugins/drain.ts'
import { requireOneHost } from '../plugins/host-field.ts'
import { readJsonBodies } from '../plugins/json-bodies.ts'
import { measureRequests } from '../plugins/measure.ts'
import { collectMethods } from '../plugins/methods.ts'
import { answerProblems } from '../plugins/problems.ts'
import { tellRequestId } from '../plugins/request-id.ts'
import { limitRequestSize } from '../plugins/request-size.ts'
import { addSecurityHeaders } from '../plugins/security-headers.ts'
import type { AuditIntake } from '../services/audit-intake.ts'
import { auditIngestRoutes } from './audit-ingest.ts'
import { recogniseWorkload, requireDeclaredWorkload, type RecognitionDeps } from './recognise.ts'

export interface InternalDeps extends RecognitionDeps {
  readonly logger: FastifyBaseLogger
  readonly refusals: Pick<Refusals, 'onProblem'>
  readonly intake: AuditIntake
  /** As on the public listener. */
  readonly obstacles?: readonly AuditObstacle[]
  readonly tls?: ServerOptions & SecureServerOptions
  /** Counted in this process; a test may bring its own. */
  readonly addresses?: LocalLimiter
  readonly entries?: LocalLimiter
}

/** A hundred entries of ordinary size are 40 KiB. */
const BODY_LIMIT = 262_144
const URL_LIMIT = 512

/** Per address and before the token is looked at: each false token costs the API server a review. */
const INTERNAL: LimitPolicy = {
  name: 'internal',
  limit: 1_200,
  periodMs: 60_000,
  withoutRedis: 'local',
}

/**
 * What programs of the platform ask of the gateway, on a port that the edge does not route. Like the public app it
 * opens nothing by itself; unlike it, it knows workloads and no users.
 */
export function buildInternal(deps: InternalDeps): FastifyInstance {
  const settings = { trustedProxies: [], allowedOrigins: [], bodyLimit: BODY_LIMIT }
  const options = serverOptions({ ...deps, settings })
  const app = Fastify({
    ...options,
    ...(deps.tls ? { https: { ...HTTP, ...deps.tls } } : {}),
  } as typeof options).withTypeProvider<TypeBoxTypeProvider>()
  requireDeclaredWorkload(app)
  const methods = collectMethods(app)
  answerProblems(app, (problem, request, cause) => deps.refusals.onProblem(problem, request, cause))
  drainConnections(app)
  tellRequestId(app)
  measureRequests(app, deps.metrics)
  addSecurityHeaders(app, settings)
  requireOneHost(app)
  limitRequestSize(app, { bodyLimit: BODY_LIMIT, urlLimit: URL_LIMIT })
  readJsonBodies(app)
  limitAddresses(app, deps)
  recogniseWorkload(app, deps)
  failClosed(app, deps.obstacles ?? [])
  auditIngestRoutes(deps)(app)
  methods.refuseOthers()
  return app
}

function limitAddresses(app: FastifyInstance, deps: InternalDeps): void {
  const { metrics, addresses = new LocalLimiter() } = deps
  app.addHook('onRequest', (request, reply, done) => {
    const decision = addresses.take(INTERNAL, clientNetwork(request.ip))
    if (decision.allowed) return done()
    metrics.rateLimitExceeded.inc({ endpoint: request.routeOptions.url ?? 'unknown' })
    reply.header('retry-after', retryAfterField(decision))
    done(new PalisadeError('ERR_RATE_LIMITED', `at most ${INTERNAL.limit} requests a minute`))
  })
}
