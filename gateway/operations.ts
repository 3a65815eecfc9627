import type { ServerOptions } from 'node:https'
import Fastify, { type FastifyInstance } from 'fastify'
import type { GatewayMetrics } from './observe/metrics.ts'
import type { Readiness } from './observe/readiness.ts'
import { addSecurityHeaders } from './plugins/security-headers.ts'

export interface OperationsDeps {
  readonly metrics: GatewayMetrics
  readonly readiness: Readiness
  readonly tls?: ServerOptions
}

/** Metrics and probes, on a port of their own that the edge never reaches. */
export function buildOperations({ metrics, readiness, tls }: OperationsDeps): FastifyInstance {
  const app = (tls ? Fastify({ https: tls }) : Fastify()) as unknown as FastifyInstance
  addSecurityHeaders(app, { allowedOrigins: [] })
  // Alive as long as the event loop turns: a database that is away is no reason to be killed.
  app.get('/livez', async () => ({ ok: true }))
  app.get('/readyz', async (_request, reply) => {
    const health = await readiness.read()
    return reply.code(health.ok ? 200 : 503).send(health)
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  return app
}
