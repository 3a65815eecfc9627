import type { FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'
import { hasScope } from '../identity/scopes.ts'

/** Refuses to register a route that does not say who may call it: forgetting it stops the server at start. */
export function requireDeclaredAccess(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new PalisadeError(
        'ERR_CONFIG_INVALID',
        `route ${String(route.method)} ${route.url} declares no config.access`,
        { remedy: "declare { action, scope }, or 'public' when nobody needs to be known" },
      )
    }
  })
}

export function authorise(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { access } = request.routeOptions.config
    // undefined: the handler of unknown paths, which does nothing but answer 404.
    if (access === undefined || access === 'public') return done()
    const { caller } = request
    if (caller && hasScope(caller.roles, access.scope)) return done()
    done(new PalisadeError('ERR_FORBIDDEN', `this takes the scope ${access.scope}`))
  })
}
