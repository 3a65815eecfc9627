import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PalisadeError } from '#core/problem'

/**
 * RFC 9112 3.2: a request of HTTP/1.1 has one Host field. Node would keep the first of two without a word, and answer
 * for none at all without our headers; a proxy in front may have read the other one.
 */
export function requireOneHost(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const count = countFields(request, 'host')
    if (count === 1 || (count === 0 && request.raw.httpVersion !== '1.1')) return done()
    reply.header('connection', 'close')
    done(new PalisadeError('ERR_BAD_REQUEST', 'there must be one Host field'))
  })
}

/** How often a field stands in the request, before Node joins or drops what stands twice. */
export function countFields({ raw: { rawHeaders } }: FastifyRequest, field: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === field.length && name.toLowerCase() === field) count += 1
  }
  return count
}
