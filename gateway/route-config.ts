import type { AuditRow } from './ports/audit-records.ts'
import type { Caller } from './ports/callers.ts'
import type { Scope } from './identity/scopes.ts'
import type { LimitPolicy } from './limits/policy.ts'

/** Closed list: each action is a word of the audit log. */
export type Action =
  | 'secret.list'
  | 'secret.read'
  | 'secret.write'
  | 'secret.delete'
  | 'secret.restore'
  | 'audit.search'
  | 'audit.export'

/** `public` says that nobody needs to be known; anything else names what is done and the scope it takes. */
export type Access = 'public' | { readonly action: Action; readonly scope: Scope }

/** What names a committed record to the log. */
export type SealedRecord = Pick<AuditRow, 'id' | 'tenantId'>

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /**
     * `sealed`: the answer leaves after its records have their place in the log; see plugins/await-seal.ts.
     * `committed`: there is a record, which commits with what is done. Either refuses while none can be written; see
     * plugins/fail-closed.ts. `none`: there is no record. By default `none` on public routes, `committed` on all others.
     */
    audit?: 'sealed' | 'committed' | 'none'
    limit?: LimitPolicy
    /** Methods of this path, on the routes that answer 405. */
    allow?: string
  }
  interface FastifyRequest {
    /** Set by authentication; null on public routes. */
    caller: Caller | null
    /** On routes declared `audit: 'sealed'`, where the handler leaves each record it committed; null on all others. */
    committedRecords: SealedRecord[] | null
  }
}
