import type { ServerOptions } from 'node:https'
import Fastify, { type FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { Readiness } from './observe/readiness.ts'
import { addSecurityHeaders } from './plugins/security-headers.ts'

export interface OperationsDeps {
  /** Whoever measures in this process. */
  readonly registries: readonly Registry[]
  readonly readiness: Readiness
  readonly tls?: ServerOptions
}

/** Metrics and probes, on a port of their own that the edge never reaches. */
export function buildOperations({ registries, readiness, tls }: OperationsDeps): FastifyInstance {
  const app =
    // A scrape that is cut at the end is no loss; one that keeps its connection must not hold the process.
    (tls
      ? Fastify({ https: tls, forceCloseConnections: true })
      : Fastify({ forceCloseConnections: true })) as unknown as FastifyInstance
  addSecurityHeaders(app, { allowedOrigins: [] })
  // Alive as long as the event loop turns: a database that is away is no reason to be killed.
  app.get('/livez', async () => ({ ok: true }))
  app.get('/readyz', async (_request, reply) => {
    const health = await readiness.read()
    return reply.code(health.ok ? 200 : 503).send(health)
  })
  app.get('/metrics', async (_request, reply) => {
    const texts = await Promise.all(registries.map((registry) => registry.metrics()))
    return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(texts.join('\n'))
  })
  return app
}
