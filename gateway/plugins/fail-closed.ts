import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { PalisadeError } from '#core/problem'
import '../internal/route-config.ts'

/** Why no audit record can be written now; undefined while one can. */
export type AuditObstacle = () => PalisadeError | undefined

/**
 * Routes that leave a record do nothing while none can be written: registered behind authentication and rights, so that
 * nobody unknown learns of it, and before the body is read. A route that names a caller counts as one of them; that
 * way a new route is closed unless it says `audit: 'none'`.
 */
export function failClosed(app: FastifyInstance, obstacles: readonly AuditObstacle[]): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isAudited(request)) return done()
    for (const obstacle of obstacles) {
      const problem = obstacle()
      if (problem) return done(problem)
    }
    done()
  })
}

function isAudited({ routeOptions: { config } }: FastifyRequest): boolean {
  const { access, workload, audit } = config
  if (audit !== undefined) return audit !== 'none'
  return (access !== undefined && access !== 'public') || workload !== undefined
}
