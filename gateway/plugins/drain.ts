import type { FastifyInstance } from 'fastify'

const LOOK_EVERY_MS = 50

/**
 * A connection whose request was under way when closing began becomes idle only afterwards, and would hold the server
 * for the whole keep-alive time. So idle ones are closed again and again until none is left.
 */
export function drainConnections(app: FastifyInstance): void {
  app.addHook('preClose', (done) => {
    const { server } = app
    const timer = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS)
    timer.unref()
    server.once('close', () => clearInterval(timer))
    done()
  })
}
