import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { OPERATIONS, type Operation } from '#api/rest/operations'
import { loadSigningKeys, makeSigningKey } from '../gateway/identity/signing-keys.ts'
import { auditRoutes } from '../gateway/routes/audit.ts'
import { developmentLoginRoutes } from '../gateway/routes/development-login.ts'
import { secretRoutes } from '../gateway/routes/secrets.ts'
import { wellKnownRoutes } from '../gateway/routes/well-known.ts'
import type { Access } from '../gateway/route-config.ts'
import { type AuditIngestDeps, auditIngestRoutes } from '../gateway/internal/audit-ingest.ts'
import type { AuditSearch } from '../gateway/services/audit-search.ts'
import type { DevelopmentLogin } from '../gateway/services/development-login.ts'
import type { Secrets } from '../gateway/services/secrets.ts'

interface Declared {
  readonly operation: string
  readonly access: string
  readonly schemas: readonly unknown[]
}

const accessOf = (access: Access | undefined) =>
  typeof access === 'object' ? access.scope : (access ?? '')

async function internalRoutes(): Promise<Declared[]> {
  const declared: Declared[] = []
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    declared.push({
      operation: `${String(method).toLowerCase()} ${url}`,
      access: config?.workload === undefined ? '' : 'workload',
      schemas: [schema?.body, schema?.params].filter(Boolean),
    })
  })
  auditIngestRoutes({} as AuditIngestDeps)(app)
  await app.ready()
  return declared
}

const documented = (listener: Operation['listener']): Declared[] =>
  OPERATIONS.filter((one) => one.listener === listener).map((one) => ({
    operation: `${one.method} ${one.path}`,
    access: one.access,
    schemas: [one.body, one.params].filter(Boolean),
  }))

/** Registration runs no handler, so the services behind the routes are not needed. */
async function declaredRoutes(): Promise<Declared[]> {
  const declared: Declared[] = []
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    if (method === 'HEAD') return
    declared.push({
      operation: `${String(method).toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`,
      access: accessOf(config?.access),
      schemas: [schema?.body, schema?.params].filter(Boolean),
    })
  })
  wellKnownRoutes(loadSigningKeys([await makeSigningKey(new Date())], new Date()))(app)
  secretRoutes({} as Secrets)(app)
  auditRoutes({} as AuditSearch)(app)
  developmentLoginRoutes({} as DevelopmentLogin, 'dev')(app)
  await app.ready()
  return declared.sort((a, b) => (a.operation < b.operation ? -1 : 1))
}

describe('the OpenAPI document', () => {
  it('lists the routes of the gateway with the scope and the schemas that they declare', async () => {
    const routes = await declaredRoutes()
    expect(routes).toEqual(documented('api').sort((a, b) => (a.operation < b.operation ? -1 : 1)))
  })

  it('lists the routes of the internal listener, each for workloads', async () => {
    expect(await internalRoutes()).toEqual(documented('internal'))
  })
})
