import type { FastifyInstance, HTTPMethods } from 'fastify'
import { PalisadeError } from '#core/problem'
import { PUBLIC } from '../limits/policy.ts'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Collects the methods of each path, and afterwards lets the other methods of it answer 405 with Allow. */
export function collectMethods(app: FastifyInstance): { readonly refuseOthers: () => void } {
  const byPath = new Map<string, Set<HTTPMethods>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = byPath.get(url) ?? new Set<HTTPMethods>()
    for (const one of [method].flat()) methods.add(one)
    byPath.set(url, methods)
  })
  const refuseOthers = () => {
    for (const [url, methods] of [...byPath]) {
      const allow = [...methods].sort().join(', ')
      const others = METHODS.filter((method) => !methods.has(method))
      if (others.length === 0) continue
      app.route({
        url,
        method: others,
        config: { access: 'public', limit: PUBLIC, allow },
        // Before the body is read: what is sent with a wrong method is nobody's business.
        onRequest: (request, reply, done) => {
          reply.header('allow', allow)
          done(new PalisadeError('ERR_METHOD_NOT_ALLOWED', `${request.method} is not served here`))
        },
        handler: () => undefined,
      })
    }
  }
  return { refuseOthers }
}
