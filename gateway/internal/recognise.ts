import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PalisadeError } from '#core/problem'
import type { GatewayMetrics } from '../observe/metrics.ts'
import { countFields } from '../plugins/host-field.ts'
import type { Workload } from '../ports/callers.ts'
import type { RecentReviews } from './recent-reviews.ts'
import type { WorkloadName } from './route-config.ts'

export interface RecognitionDeps {
  readonly reviews: RecentReviews
  /** Exact names of the service accounts that the routes are for. */
  readonly accounts: Readonly<Record<WorkloadName, string>>
  readonly cluster: string
  readonly metrics: GatewayMetrics
}

/** Refuses to register a route that does not say which workload it serves; one that answers 405 serves nobody. */
export function requireDeclaredWorkload(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.workload !== undefined || config?.allow !== undefined) return
    throw new PalisadeError(
      'ERR_CONFIG_INVALID',
      `route ${String(method)} ${url} of the internal listener declares no config.workload`,
      { remedy: 'name the one program that may call it' },
    )
  })
}

/** Before the body is read: the token must be one that the API server knows, of exactly the account of the route. */
export function recogniseWorkload(app: FastifyInstance, deps: RecognitionDeps): void {
  app.decorateRequest('workload', null)
  app.addHook('onRequest', async (request, reply) => {
    const wanted = request.routeOptions.config.workload
    if (wanted === undefined) return
    const token = bearerOf(request)
    if (token === undefined) {
      reply.header('www-authenticate', 'Bearer')
      throw new PalisadeError('ERR_UNAUTHENTICATED', 'the request carries no token', {
        remedy: 'send "Authorization: Bearer <token>", projected for the audience of the gateway',
      })
    }
    const account = await accountOf(token, deps)
    if (account === undefined) {
      reply.header('www-authenticate', 'Bearer error="invalid_token"')
      throw new PalisadeError('ERR_TOKEN_INVALID', 'the cluster knows no such token', {
        remedy: 'send a token projected for the audience of the gateway, of a Pod that runs',
      })
    }
    const allowed = account === deps.accounts[wanted]
    request.workload = workloadOf(account, deps.cluster, allowed ? wanted : 'serviceAccount')
    if (!allowed || !request.workload) {
      throw new PalisadeError('ERR_FORBIDDEN', `this route is for the ${wanted} alone`, {
        remedy: 'no right can be given: the account is fixed by the configuration of the gateway',
      })
    }
  })
}

function bearerOf(request: FastifyRequest): string | undefined {
  if (countFields(request, 'authorization') > 1) {
    throw new PalisadeError('ERR_BAD_REQUEST', 'there is more than one Authorization field')
  }
  return /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

async function accountOf(
  token: string,
  { reviews, metrics }: RecognitionDeps,
): Promise<string | undefined> {
  try {
    const { review, source } = await reviews.of(token)
    metrics.tokenReviews.inc({ result: review.kind, source })
    return review.kind === 'account' ? review.name : undefined
  } catch (error) {
    metrics.tokenReviews.inc({ result: 'unavailable', source: 'review' })
    throw error
  }
}

/** Users of the cluster other than service accounts may be people, whose names no record holds: null. */
function workloadOf(account: string, cluster: string, kind: Workload['kind']): Workload | null {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(account) ?? []
  if (namespace === undefined || name === undefined) return null
  return Object.freeze({ kind, id: `${cluster}/${namespace}/${name}` })
}
