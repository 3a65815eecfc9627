import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { AuditExportQuery, AuditQuery } from '#api/rest/audit'
import { exportLine } from '#core/siem/line'
import { AUDIT } from '../limits/policy.ts'
import { callerOf, originOf } from '../request-origin.ts'
import type { AuditSearch } from '../services/audit-search.ts'

export const auditRoutes = (search: AuditSearch) => (app: FastifyInstance) => {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  routes.post(
    '/api/v1/audit/search',
    {
      config: { access: { action: 'audit.search', scope: 'audit:read' }, limit: AUDIT },
      schema: { body: AuditQuery },
    },
    async (request) => search.search(callerOf(request), originOf(request), request.body),
  )

  routes.post(
    '/api/v1/audit/export',
    {
      config: {
        access: { action: 'audit.export', scope: 'audit:read' },
        audit: 'sealed',
        limit: AUDIT,
      },
      schema: { body: AuditExportQuery },
    },
    async (request, reply) => {
      const { body } = request
      const { records, next, completeUntil, recordedAs } = await search.takeOut(
        callerOf(request),
        originOf(request),
        body,
      )
      request.committedRecords?.push(recordedAs)
      if (next !== undefined) reply.header('palisade-next', next)
      const lines = records.map(
        ({ tenantId, ...one }) => `${exportLine({ ...one, tenant: tenantId }, body.format)}\n`,
      )
      return reply
        .header('palisade-complete-until', completeUntil.toISOString())
        .header('palisade-recorded-as', recordedAs.id)
        .type(body.format === 'cef' ? 'text/plain; charset=utf-8' : 'application/x-ndjson')
        .send(lines.join(''))
    },
  )
}
