import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { IdempotencyHeaders } from '#api/rest/headers'
import { ListQuery, ReadQuery, SecretPath, StoreSecret } from '#api/rest/secrets'
import { callerOf, originOf } from '../request-origin.ts'
import type { Secrets } from '../services/secrets.ts'

const PAGE = 50
/** Nothing may ride along unread: an unknown member of a query is an error like one of a body. */
const NoQuery = Type.Object({}, { additionalProperties: false })

export const secretRoutes = (secrets: Secrets) => (app: FastifyInstance) => {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.get(
    '/api/secrets',
    {
      config: { access: { action: 'secret.list', scope: 'secrets:read' } },
      schema: { querystring: ListQuery },
    },
    async (request) => {
      const { after, limit } = request.query
      return secrets.list(callerOf(request), originOf(request), after ?? null, limit ?? PAGE)
    },
  )

  routes.get(
    '/api/secrets/:name',
    {
      config: { access: { action: 'secret.read', scope: 'secrets:read' } },
      schema: { params: SecretPath, querystring: ReadQuery },
    },
    async (request) => {
      const { name } = request.params
      return secrets.read(callerOf(request), originOf(request), name, request.query.version)
    },
  )

  routes.put(
    '/api/secrets/:name',
    {
      config: { access: { action: 'secret.write', scope: 'secrets:write' } },
      schema: {
        params: SecretPath,
        querystring: NoQuery,
        headers: IdempotencyHeaders,
        body: StoreSecret,
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const key = request.headers['idempotency-key']
      const caller = callerOf(request)
      const stored = await secrets.put(caller, originOf(request), name, request.body, key)
      return reply.code(201).header('location', `/api/secrets/${name}`).send(stored)
    },
  )

  routes.delete(
    '/api/secrets/:name',
    {
      config: { access: { action: 'secret.delete', scope: 'secrets:write' } },
      schema: { params: SecretPath, querystring: NoQuery },
    },
    async (request, reply) => {
      await secrets.remove(callerOf(request), originOf(request), request.params.name)
      return reply.code(204).send()
    },
  )

  routes.post(
    '/api/secrets/:name/restore',
    {
      config: { access: { action: 'secret.restore', scope: 'secrets:write' } },
      schema: { params: SecretPath, querystring: NoQuery },
    },
    async (request, reply) => {
      await secrets.restore(callerOf(request), originOf(request), request.params.name)
      return reply.code(204).send()
    },
  )
}
