import type { FastifyInstance } from 'fastify'

/** On every answer, errors of the HTTP parser included. The gateway serves data, so its policy allows no document. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'geolocation=(), microphone=()',
  // The old filter of browsers could be used to break pages; 0 switches it off.
  'x-xss-protection': '0',
  'cross-origin-resource-policy': 'same-origin',
  // Answers are about one caller; a route whose answer may be kept says so itself.
  'cache-control': 'no-store',
})

export interface CorsOptions {
  /** Exact origins; an origin that is not listed gets no CORS header at all. */
  readonly allowedOrigins: readonly string[]
}

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key',
  'access-control-max-age': '600',
} as const

export function addSecurityHeaders(app: FastifyInstance, { allowedOrigins }: CorsOptions): void {
  const allowed = new Set(allowedOrigins)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS)
    const { origin } = request.headers
    if (origin === undefined || allowed.size === 0) return done()
    reply.header('vary', 'Origin')
    if (!allowed.has(origin)) return done()
    reply.header('access-control-allow-origin', origin)
    reply.header(
      'access-control-expose-headers',
      'ratelimit, ratelimit-policy, retry-after, location, x-request-id',
    )
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!isPreflight) return done()
    reply.code(204).headers(PREFLIGHT).send()
  })
}
