import type { FastifyInstance } from 'fastify'
import type { GatewayMetrics } from '../observe/metrics.ts'

/** A path nobody registered is one label value, or a scanner would fill the memory of whoever scrapes. */
const UNKNOWN = 'unknown'

interface Series {
  readonly duration: { observe(seconds: number): void }
  readonly count: { inc(): void }
}

/** The series of each (method, route, status) is looked up once: hashing labels costs more than counting. */
export function measureRequests(app: FastifyInstance, metrics: GatewayMetrics): void {
  const known = new Map<string, Series>()
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? UNKNOWN
    const method = route === UNKNOWN ? UNKNOWN : request.method
    const status = reply.statusCode
    const key = `${status} ${method} ${route}`
    let series = known.get(key)
    if (!series) {
      series = {
        duration: metrics.requestDuration.labels({ method, route }),
        count: metrics.requests.labels({ method, route, status }),
      }
      known.set(key, series)
    }
    series.duration.observe(reply.elapsedTime / 1000)
    series.count.inc()
    done()
  })
}
