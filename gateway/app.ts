import { randomUUID } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import type { ServerOptions } from 'node:https'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { TokenVerifier } from './identity/verify-token.ts'
import type { Limiter } from './limits/limiter.ts'
import { LocalLimiter } from './limits/local-limiter.ts'
import type { GatewayMetrics } from './observe/metrics.ts'
import type { Refusals } from './observe/refusals.ts'
import type { SealStore } from './ports/audit-records.ts'
import { authenticate } from './plugins/authenticate.ts'
import { authorise, requireDeclaredAccess } from './plugins/authorise.ts'
import { requireOneHost } from './plugins/host-field.ts'
import { readJsonBodies } from './plugins/json-bodies.ts'
import { answerAfterSeal } from './plugins/await-seal.ts'
import { collectMethods } from './plugins/methods.ts'
import { failClosed, type AuditObstacle } from './plugins/fail-closed.ts'
import { drainConnections } from './plugins/drain.ts'
import { measureRequests } from './plugins/measure.ts'
import { answerParserError } from './plugins/parser-errors.ts'
import { answerProblems, answerRouterErrors } from './plugins/problems.ts'
import { readQueryIntegers } from './plugins/query-integers.ts'
import { limitByAddress, limitByCaller } from './plugins/rate-limit.ts'
import { tellRequestId } from './plugins/request-id.ts'
import { limitRequestSize } from './plugins/request-size.ts'
import { addSecurityHeaders } from './plugins/security-headers.ts'
import './route-config.ts'

export interface AppDeps {
  readonly logger: FastifyBaseLogger
  readonly verifier: TokenVerifier
  readonly limiter: Limiter
  readonly metrics: GatewayMetrics
  readonly refusals: Pick<Refusals, 'onProblem'>
  readonly settings: AppSettings
  /** Routes on top of the built-in ones: each a plugin that declares its contract. */
  readonly routes: readonly ((app: FastifyInstance) => void)[]
  /** Needed by routes declared `audit: 'sealed'`. */
  readonly seals?: SealStore
  /** What keeps an audit record from being written; audited routes then refuse. */
  readonly obstacles?: readonly AuditObstacle[]
  /** Addresses are counted per process; a test may bring its own. */
  readonly addresses?: Limiter
}

export interface AppSettings {
  /** CIDRs of the proxies whose X-Forwarded-For is believed; empty believes nobody. */
  readonly trustedProxies: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly bodyLimit: number
  readonly tls?: ServerOptions & SecureServerOptions
}

const URL_LIMIT = 8_192
/** A missing Host is refused by us, with our headers. */
export const HTTP = { maxHeaderSize: 16_384, requireHostHeader: false }

/** The gateway without a port and without an environment: everything it needs comes in. */
export function buildApp(deps: AppDeps): FastifyInstance {
  const app = Fastify({
    ...serverOptions(deps),
    ...(deps.settings.tls ? { https: { ...HTTP, ...deps.settings.tls } } : {}),
  } as ReturnType<typeof serverOptions>).withTypeProvider<TypeBoxTypeProvider>()
  requireDeclaredAccess(app)
  const methods = collectMethods(app)
  answerProblems(app, (problem, request, cause) => deps.refusals.onProblem(problem, request, cause))

  const limits = {
    limiter: deps.limiter,
    addresses: deps.addresses ?? new LocalLimiter(),
    onRefused: (endpoint: string) => deps.metrics.rateLimitExceeded.inc({ endpoint }),
  }
  drainConnections(app)
  tellRequestId(app)
  measureRequests(app, deps.metrics)
  addSecurityHeaders(app, deps.settings)
  requireOneHost(app)
  limitRequestSize(app, { bodyLimit: deps.settings.bodyLimit, urlLimit: URL_LIMIT })
  readJsonBodies(app)
  limitByAddress(app, limits)
  authenticate(app, deps.verifier)
  limitByCaller(app, limits)
  authorise(app)
  failClosed(app, deps.obstacles ?? [])
  readQueryIntegers(app)
  answerAfterSeal(app, deps.seals)

  for (const register of deps.routes) register(app)
  methods.refuseOthers()
  return app
}

type ServerDeps = Pick<AppDeps, 'logger' | 'settings' | 'refusals' | 'metrics'>

export function serverOptions({ logger, settings, refusals, metrics }: ServerDeps) {
  return {
    loggerInstance: logger,
    // One line per refusal and failure is written by us, with the route and never with the query.
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false as const,
    // Random bytes in stock: an id that sorts by time costs a system call a request.
    genReqId: () => randomUUID(),
    // A logger per request is work for nobody: our lines carry the id themselves.
    childLoggerFactory: (parent: FastifyBaseLogger) => parent,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    bodyLimit: settings.bodyLimit,
    http: HTTP,
    // The slowest honest client sends 1 MiB in this time; a slower one only holds a socket.
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle' as const,
    routerOptions: { maxParamLength: 512, ignoreDuplicateSlashes: false, caseSensitive: true },
    onProtoPoisoning: 'error' as const,
    onConstructorPoisoning: 'error' as const,
    clientErrorHandler: answerParserError,
    frameworkErrors: answerRouterErrors((problem, request, cause) => {
      metrics.requests.inc({ method: 'unknown', route: 'unknown', status: problem.status })
      return refusals.onProblem(problem, request, cause)
    }),
    ajv: {
      customOptions: {
        // A field that is not in the schema is an error, never dropped; a string stays a string.
        removeAdditional: false as const,
        coerceTypes: false as const,
        useDefaults: false,
        allErrors: false,
        strict: true,
      },
    },
  }
}
