import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { IngestRequest } from '#api/rest/audit-ingest'
import { PalisadeError } from '#core/problem'
import { originOf } from '../request-origin.ts'
import type { AuditIntake } from '../services/audit-intake.ts'
import './route-config.ts'

const NoQuery = Type.Object({}, { additionalProperties: false })

/** The schema names every action that the operator may report; the route serves the operator and nobody else. */
export const auditIngestRoutes = (intake: AuditIntake) => (app: FastifyInstance) => {
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .post(
      '/audit/ingest',
      { config: { workload: 'operator' }, schema: { querystring: NoQuery, body: IngestRequest } },
      async (request) => {
        const { workload } = request
        // A recognised one always is there; this is the second lock on the door.
        if (!workload) throw new PalisadeError('ERR_UNAUTHENTICATED', 'nobody is known here')
        return intake.take(workload, originOf(request), request.body.entries)
      },
    )
}
