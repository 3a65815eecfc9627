import type { FastifyRequest } from 'fastify'
import { PalisadeError } from '#core/problem'
import type { Caller } from './ports/callers.ts'
import type { Origin } from './services/audit.ts'

const MAX_AGENT = 256

export const originOf = (request: FastifyRequest): Origin => ({
  requestId: request.id,
  method: request.method,
  route: request.routeOptions.url,
  address: request.ip,
  // A lone surrogate cannot be written canonically; a header is bytes, and any of them may come.
  userAgent: (request.headers['user-agent'] ?? '').slice(0, MAX_AGENT).toWellFormed(),
})

/** A protected route always has one; this is the second lock on the door. */
export function callerOf({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (!caller) throw new PalisadeError('ERR_UNAUTHENTICATED', 'nobody is known on this route')
  return caller
}
