import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { systemClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { buildApp } from '../../gateway/app.ts'
import { issueAccessToken } from '../../gateway/identity/access-token.ts'
import { loadSigningKeys, makeSigningKey } from '../../gateway/identity/signing-keys.ts'
import { TokenVerifier } from '../../gateway/identity/verify-token.ts'
import type { Limiter } from '../../gateway/limits/limiter.ts'
import { LocalLimiter } from '../../gateway/limits/local-limiter.ts'
import type { LimitPolicy } from '../../gateway/limits/policy.ts'
import { connectRedis } from '../../gateway/limits/redis-connection.ts'
import { RedisLimiter } from '../../gateway/limits/redis-limiter.ts'
import { GatewayMetrics } from '../../gateway/observe/metrics.ts'
import { SECURITY_HEADERS } from '../../gateway/plugins/security-headers.ts'

/** One server of the comparison, in a process of its own: `server.ts bare|local|redis [redis port]`. */
const [, , kind = 'bare', redisPort = '0'] = process.argv
const BODY = { id: randomUUID(), name: 'orders-db', version: 7, value: 'x'.repeat(64) }
/** Never reached: what is measured is the decision, not the refusal. */
const WIDE: LimitPolicy = {
  name: 'bench',
  limit: 1_000_000_000,
  periodMs: 900_000,
  withoutRedis: 'local',
}

/** The same headers and the same body, and nothing else. */
function bare(): FastifyInstance {
  const app = Fastify()
  const headers = {
    ...SECURITY_HEADERS,
    'ratelimit-policy': '"bench";q=1000000000;w=900',
    ratelimit: '"bench";r=999999999;t=1',
  }
  app.get('/thing', async (_request, reply) => reply.headers(headers).send(BODY))
  return app
}

async function guarded(limiter: Limiter): Promise<{ app: FastifyInstance; token: string }> {
  const keys = loadSigningKeys([await makeSigningKey(new Date(0))], new Date())
  const names = { issuer: 'https://bench', audience: 'palisade' }
  const verifier = new TokenVerifier(keys, names, systemClock)
  const subject = {
    userId: randomUUID(),
    tenantId: randomUUID(),
    role: 'user',
    tokenVersion: 0,
  } as const
  const app = buildApp({
    logger: pino({ level: 'warn' }),
    verifier,
    limiter,
    addresses: { ...unlimited(), ready: () => ({ ok: true, reason: '' }), close: async () => {} },
    metrics: new GatewayMetrics(),
    refusals: { onProblem: () => undefined },
    settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 262_144 },
    routes: [
      (one) =>
        void one.get(
          '/thing',
          { config: { access: { action: 'secret.read', scope: 'secrets:read' }, limit: WIDE } },
          async () => BODY,
        ),
    ],
  })
  return { app, token: await issueAccessToken(subject, keys, names, systemClock) }
}

/** The real limiter per address, with a quota that one load tool does not use up. */
function unlimited(): Pick<Limiter, 'take'> {
  const local = new LocalLimiter()
  return { take: (_policy, subject) => local.take(WIDE, subject) }
}

async function redisLimiter(): Promise<Limiter> {
  const address = {
    host: '127.0.0.1',
    port: Number(redisPort),
    username: '',
    password: Sealed.of(''),
    ca: undefined,
  }
  const limiter = new RedisLimiter(
    connectRedis(address, () => undefined),
    {
      replicas: () => 1,
      onFallback: () => process.stderr.write('a decision was made without Redis\n'),
    },
  )
  while (!limiter.ready().ok) await new Promise((done) => setTimeout(done, 20))
  return limiter
}

const built =
  kind === 'bare'
    ? { app: bare(), token: '' }
    : await guarded(kind === 'redis' ? await redisLimiter() : new LocalLimiter())
await built.app.listen({ host: '127.0.0.1', port: 0 })
const { port } = built.app.server.address() as AddressInfo
process.stdout.write(`${JSON.stringify({ port, token: built.token })}\n`)
