import type { FastifyInstance } from 'fastify'
import type { GatewayMetrics } from '../observe/metrics.ts'

/** A path nobody registered is one label value, or a scanner would fill the memory of whoever scrapes. */
const UNKNOWN = 'unknown'

export function measureRequests(app: FastifyInstance, metrics: GatewayMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? UNKNOWN
    const method = request.routeOptions.url === undefined ? UNKNOWN : request.method
    metrics.requestDuration.observe({ method, route }, reply.elapsedTime / 1000)
    metrics.requests.inc({ method, route, status: reply.statusCode })
    done()
  })
}
