import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Made here and never taken from a client. The same id stands in the log and in the audit record. */
export const withRequestId = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  reply.header('x-request-id', request.id)

/** On every answer of a route, so that whoever was served can name the request as well as whoever was refused. */
export function tellRequestId(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    withRequestId(request, reply)
    done()
  })
}
