import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'
import { findAmbiguity } from './ambiguous-json.ts'

/** The one parser: JSON in UTF-8, as it was sent, with one meaning. */
export function readJsonBodies(app: FastifyInstance): void {
  // The text parser would hand a string to a handler that declared no body.
  app.removeContentTypeParser(['text/plain', 'application/json'])
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      // Decoding would replace what is no UTF-8, and another value than the one that was sent would be stored.
      if (!isUtf8(body)) return done(refusal('the body is not UTF-8'))
      const text = body.toString('utf8')
      const ambiguity = findAmbiguity(text)
      if (ambiguity !== undefined) return done(refusal(ambiguity))
      void parse(request, text, done)
    },
  )
  app.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding']
    if (encoding === undefined || encoding.toLowerCase() === 'identity') return done()
    // Nothing is decompressed here, so nothing can grow; what was compressed must not pass for what it says.
    done(new PalisadeError('ERR_UNSUPPORTED_MEDIA_TYPE', 'the body must not be encoded'))
  })
}

const refusal = (why: string) => new PalisadeError('ERR_BAD_REQUEST', why)
