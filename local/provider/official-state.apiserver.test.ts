import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApiServer } from '../../test/support/apiserver.ts'
import { startTestCluster, testStack, type TestStack } from '../../test/support/provider-stack.ts'
import { checkpointPath, type StateResource } from '../stack/checkpoint.ts'
import { isMap, type Json } from './values.ts'

const OFFICIAL = join(import.meta.dirname, '../../test/fixtures/provider/official-state.json')
const CANARY = 'canary-1234'

interface OfficialResource extends StateResource {
  readonly parent?: string
  readonly custom: boolean
  readonly dependencies?: readonly string[]
  readonly additionalSecretOutputs?: readonly string[]
}

/** Chance and encryption differ between any two runs; everything else must not. */
function comparable(value: Json | undefined): Json {
  if (typeof value === 'string') return value.replace(/auto-named-[0-9a-f]{8}$/, 'auto-named-#')
  if (Array.isArray(value)) return value.map(comparable)
  if (!isMap(value)) return value ?? null
  if ('ciphertext' in value) return { ...value, ciphertext: '#' }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]))
}

const withoutProviderId = (reference: string | undefined): string | undefined =>
  reference?.split('::').slice(0, -1).join('::')

function record(resource: OfficialResource) {
  const outputs = resource.outputs ?? {}
  const fields = {
    type: resource.type,
    custom: resource.custom,
    id: resource.type.startsWith('pulumi:') ? '' : (resource.id ?? ''),
    parent: resource.parent ?? '',
    provider: withoutProviderId((resource as { provider?: string }).provider) ?? '',
    dependencies: [...(resource.dependencies ?? [])].sort(),
    inputs: resource.inputs ?? {},
    asked: outputs.__inputs ?? {},
    initialApiVersion: outputs.__initialApiVersion ?? '',
    spec: isMap(outputs.spec) ? { ...outputs.spec, clusterIP: '#', clusterIPs: '#' } : {},
    data: outputs.data ?? {},
    secretOutputs: [...(resource.additionalSecretOutputs ?? [])].sort(),
  }
  return { urn: resource.urn, fields: comparable(fields) }
}

const byUrn = (resources: readonly StateResource[]): Map<string, OfficialResource> =>
  new Map(resources.map((one) => [one.urn, one as OfficialResource]))

let cluster: TestApiServer
let stack: TestStack
let ours: Map<string, OfficialResource>
let official: Map<string, OfficialResource>

beforeAll(async () => {
  const exported = JSON.parse(await readFile(OFFICIAL, 'utf8')) as {
    deployment: { resources: OfficialResource[] }
  }
  official = byUrn(exported.deployment.resources)
  cluster = await startTestCluster()
  stack = await testStack(cluster, 'program', 'fixture')
  await stack.run('up')
  ours = byUrn(await stack.resources())
})

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await cluster?.stop()
})

async function resourceVersions(): Promise<string> {
  const kinds = 'all,cm,secret,sa,role,rolebinding,netpol,widgets.example.com'
  const columns = 'custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion'
  const namespaced = await cluster.kubectl('get', kinds, '-n', 'shop', '-o', columns)
  return (
    namespaced + (await cluster.kubectl('get', 'ns,crd,validatingadmissionpolicies', '-o', columns))
  )
}

describe('state compared with the official provider', () => {
  it('holds the same resources under the same URNs', () => {
    expect([...ours.keys()].sort()).toEqual([...official.keys()].sort())
  })

  it('records the same types, ids, parents, dependencies, inputs and values for each of them', () => {
    const records = (all: Map<string, OfficialResource>) =>
      [...all.values()].map(record).sort((a, b) => (a.urn < b.urn ? -1 : 1))
    expect(records(ours)).toEqual(records(official))
  })

  it('names the field manager like the official provider', () => {
    const managers = [...ours.values()].flatMap((one) => one.outputs?.__fieldManager ?? [])
    expect(managers).toHaveLength(18)
    for (const manager of managers) expect(manager).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/)
  })

  it('keeps the canary of a Secret out of the state in clear and in base64', async () => {
    const text = await readFile(checkpointPath(stack.request), 'utf8')
    expect(text).toContain('shop/token')
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain(Buffer.from(CANARY).toString('base64'))
  })

  it('changes nothing, no resourceVersion either, in a second up', async () => {
    const before = await resourceVersions()
    const { changes } = await stack.run('up')
    expect(changes).toEqual({ same: 21 })
    expect(await resourceVersions()).toBe(before)
  })

  it('shows no change in a preview and none in a refresh', async () => {
    expect((await stack.run('preview')).changes).toEqual({ same: 21 })
    const { changes } = await stack.run('refresh')
    expect(Object.keys(changes).filter((kind) => kind !== 'same' && kind !== 'refresh')).toEqual([])
    expect((await stack.run('up')).changes).toEqual({ same: 21 })
  })

  it('leaves nothing behind after a destroy', async () => {
    await stack.run('destroy')
    expect(await stack.resources()).toEqual([])
    await expect(cluster.kubectl('get', 'ns', 'shop')).rejects.toThrow(/not found/)
    await expect(cluster.kubectl('get', 'crd', 'widgets.example.com')).rejects.toThrow(/not found/)
  })
})
