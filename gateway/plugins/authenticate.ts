import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'
import type { AccessClaims } from '../identity/access-claims.ts'
import { invalidToken, type TokenVerifier } from '../identity/verify-token.ts'
import type { Caller } from '../ports/callers.ts'
import { countFields } from './host-field.ts'

interface Remembered {
  readonly header: string
  readonly caller: Caller
  readonly claims: AccessClaims
}

/**
 * Runs before the body is read. Public routes are not looked at: a bad token sent to the login page is no reason to
 * refuse a login. One caller usually keeps a connection, so the last header of each connection is compared first.
 */
export function authenticate(app: FastifyInstance, verifier: TokenVerifier): void {
  const lastOf = new WeakMap<Socket, Remembered>()
  app.decorateRequest('caller', null)
  app.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeOptions.config
    if (access === undefined || access === 'public') return done()
    const header = request.headers.authorization
    const last = lastOf.get(request.raw.socket)
    // Node keeps the first of two without a word; a proxy in front may have read the second.
    if (countFields(request, 'authorization') > 1) {
      return done(
        new PalisadeError('ERR_BAD_REQUEST', 'there is more than one Authorization field'),
      )
    }
    if (last && last.header === header && verifier.stillGood(last.claims)) {
      request.caller = last.caller
      return done()
    }
    reply.header('www-authenticate', 'Bearer')
    if (header === undefined) {
      return done(new PalisadeError('ERR_UNAUTHENTICATED', 'the request carries no access token'))
    }
    const token = /^Bearer ([^\s]+)$/i.exec(header)?.[1]
    if (token === undefined) return done(invalidToken())
    verifier.verify(token).then(
      (claims) => {
        const caller = callerOf(claims)
        lastOf.set(request.raw.socket, { header, caller, claims })
        request.caller = caller
        reply.removeHeader('www-authenticate')
        done()
      },
      (error: unknown) => {
        reply.header('www-authenticate', 'Bearer error="invalid_token"')
        done(error as Error)
      },
    )
  })
}

const callerOf = (claims: AccessClaims): Caller =>
  Object.freeze({
    userId: claims.userId,
    tenantId: claims.tenantId,
    roles: Object.freeze([claims.role]),
    tokenVersion: claims.tokenVersion,
    tokenId: claims.tokenId,
  })
