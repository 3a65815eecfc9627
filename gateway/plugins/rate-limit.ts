import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PalisadeError } from '#core/problem'
import { clientNetwork } from '../limits/client-address.ts'
import type { LimitDecision } from '../limits/gcra.ts'
import { rateLimitField, rateLimitPolicyField, retryAfterField } from '../limits/headers.ts'
import type { Limiter } from '../limits/limiter.ts'
import { ADDRESS, GENERAL, PUBLIC, type LimitPolicy } from '../limits/policy.ts'

export interface RateLimitDeps {
  readonly limiter: Limiter
  /** Counts addresses in this process: no round trip is spent on somebody unknown. */
  readonly addresses: Limiter
  readonly onRefused: (endpoint: string) => void
}

export function limitByAddress(app: FastifyInstance, deps: RateLimitDeps): void {
  app.addHook('onRequest', (request, reply, done) => {
    const decision = deps.addresses.take(ADDRESS, clientNetwork(request.ip))
    if (decision instanceof Promise) throw new TypeError('addresses are counted in this process')
    if (decision.allowed) return done()
    deps.onRefused(endpointOf(request))
    done(refusal(reply, ADDRESS, decision))
  })
}

/** The quota of the route: of the caller where one is known, of the address on public routes. */
export function limitByCaller(app: FastifyInstance, deps: RateLimitDeps): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { limit, access } = request.routeOptions.config
    const policy = limit ?? (access === undefined || access === 'public' ? PUBLIC : GENERAL)
    const subject = request.caller
      ? `user:${request.caller.userId}`
      : `address:${clientNetwork(request.ip)}`
    const decide = (decision: LimitDecision) => {
      reply.header('ratelimit-policy', rateLimitPolicyField(policy))
      reply.header('ratelimit', rateLimitField(policy, decision))
      if (decision.allowed) return done()
      deps.onRefused(endpointOf(request))
      done(refusal(reply, policy, decision))
    }
    const decision = deps.limiter.take(policy, subject)
    if (decision instanceof Promise) decision.then(decide, done)
    else decide(decision)
  })
}

const endpointOf = (request: FastifyRequest) => request.routeOptions.url ?? 'unknown'

function refusal(reply: FastifyReply, policy: LimitPolicy, decision: LimitDecision) {
  reply.header('retry-after', retryAfterField(decision))
  return new PalisadeError(
    'ERR_RATE_LIMITED',
    `at most ${policy.limit} requests in ${policy.periodMs / 1000} s (${policy.name})`,
  )
}
