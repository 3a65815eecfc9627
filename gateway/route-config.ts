import type { Caller } from './ports.ts'
import type { Scope } from './identity/scopes.ts'
import type { LimitPolicy } from './limits/policy.ts'

/** Closed list: each action is a word of the audit log. */
export type Action =
  'secret.list' | 'secret.read' | 'secret.write' | 'secret.delete' | 'secret.restore'

/** `public` says that nobody needs to be known; anything else names what is done and the scope it takes. */
export type Access = 'public' | { readonly action: Action; readonly scope: Scope }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    limit?: LimitPolicy
    /** Methods of this path, on the routes that answer 405. */
    allow?: string
  }
  interface FastifyRequest {
    /** Set by authentication; null on public routes. */
    caller: Caller | null
  }
}
