import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { AuditQuery } from '#api/rest/audit'
import { AUDIT } from '../limits/policy.ts'
import { callerOf, originOf } from '../request-origin.ts'
import type { AuditSearch } from '../services/audit-search.ts'

export const auditRoutes = (search: AuditSearch) => (app: FastifyInstance) => {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/v1/audit/search',
    {
      config: { access: { action: 'audit.search', scope: 'audit:read' }, limit: AUDIT },
      schema: { body: AuditQuery },
    },
    async (request) => search.search(callerOf(request), originOf(request), request.body),
  )
}
