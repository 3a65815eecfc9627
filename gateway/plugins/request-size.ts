import type { FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'

/** Before anything is read: a caller learns from the announced length that the body is not wanted. */
export function limitRequestSize(
  app: FastifyInstance,
  { bodyLimit, urlLimit }: { readonly bodyLimit: number; readonly urlLimit: number },
): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.url.length > urlLimit) {
      return done(new PalisadeError('ERR_URI_TOO_LONG', `the target is longer than ${urlLimit}`))
    }
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > bodyLimit) {
      // The rest of the body would be taken for the next request.
      reply.header('connection', 'close')
      return done(new PalisadeError('ERR_PAYLOAD_TOO_LARGE', `at most ${bodyLimit} bytes`))
    }
    done()
  })
}
