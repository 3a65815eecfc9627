import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_PATH } from '#api/v1alpha1/definitions'
import { API_VERSION } from '#api/v1alpha1/object'
import { PLATFORM_ROTATIONS, platformBackend, rotationSpec } from '../infra/workload/rotations.ts'
import type { KubeObject } from './support/api-requests.ts'
import { exampleStack } from './support/recorded-program.ts'
import { startApiServer, type TestApiServer } from './support/apiserver.ts'

const ROOT = join(import.meta.dirname, '..')
const COLLECTIONS: Readonly<Record<string, string>> = {
  SecretRotation: `${API_PATH}/namespaces/default/secretrotations`,
  McpGrant: `${API_PATH}/namespaces/default/mcpgrants`,
  RotationBackend: `${API_PATH}/rotationbackends`,
}

let api: TestApiServer
beforeAll(async () => {
  api = await startApiServer()
  await api.installCrds()
}, 120_000)
afterAll(() => api?.stop())

const make = (object: { readonly kind: string }) =>
  api.post(`${COLLECTIONS[object.kind] ?? ''}?fieldValidation=Strict&dryRun=All`, object)
const resource = (kind: string, name: string, spec: object) => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
})

const OWN = exampleStack().postgres
const EXISTING = exampleStack({
  postgres: {
    existing: {
      secret: 'managed-postgres',
      host: 'db.example.net',
      port: 5432,
      database: 'palisade',
      cidrs: ['192.0.2.0/28'],
    },
  },
}).postgres

describe('resources of the platform itself', () => {
  it.each([
    ['our own database', OWN],
    ["somebody else's", EXISTING],
  ])('name a backend that the API server takes: %s', async (_, postgres) => {
    const answer = await make(resource('RotationBackend', 'platform', platformBackend(postgres)))
    expect(answer.message).toBe('')
  })

  it.each(PLATFORM_ROTATIONS)(
    'rotate $name by a spec that the API server takes',
    async (rotation) => {
      const answer = await make(resource('SecretRotation', rotation.name, rotationSpec(rotation)))
      expect(answer.message).toBe('')
    },
  )

  it('name only roles that their backend allows', () => {
    const roles = PLATFORM_ROTATIONS.flatMap(
      (rotation) => rotationSpec(rotation).source.postgresRole.roles,
    )
    expect(roles.filter((role) => !platformBackend(OWN).names.includes(role))).toEqual([])
  })
})

const examples = globSync(['examples/**/*.yaml', 'docs/**/*.yaml'], { cwd: ROOT }).flatMap((file) =>
  parseAllDocuments(readFileSync(join(ROOT, file), 'utf8'))
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object?.apiVersion === API_VERSION)
    .map((object) => ({ file, kind: object?.kind ?? '', object })),
)

describe('examples', () => {
  it('hold resources of ours', () => {
    expect(examples.length).toBeGreaterThan(0)
  })

  it.each(examples)('$kind of $file is taken by the API server', async ({ object }) => {
    const { namespace: _, ...metadata } = object?.metadata ?? { name: '' }
    const answer = await make({ kind: '', ...object, metadata } as KubeObject)
    expect(answer.message).toBe('')
  })
})
