import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../test/support/api-requests.ts'
import { startApiServer, type TestApiServer } from '../test/support/apiserver.ts'
import { dryRuns, type RefusalOf } from '../test/support/dry-run.ts'
import { exampleStack, recordProgram } from '../test/support/recorded-program.ts'

interface Manifest extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly metadata: object
      readonly spec: { readonly volumes?: readonly object[] }
    }
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}

/** Kinds of other people's operators; those are judged on the running cluster. */
const FOREIGN = /^(cert-manager\.io|postgresql\.cnpg\.io|monitoring\.coreos\.com)\//

let api: TestApiServer
let refusalOf: RefusalOf
let manifests: readonly Manifest[]

beforeAll(async () => {
  api = await startApiServer()
  await api.installCrds()
  refusalOf = await dryRuns(api)
  const registered = await recordProgram(exampleStack())
  manifests = registered
    .map(({ inputs }) => inputs as unknown as Manifest)
    .filter(({ apiVersion }) => typeof apiVersion === 'string' && !FOREIGN.test(apiVersion))
  for (const namespace of manifests.filter(({ kind }) => kind === 'Namespace')) {
    await api.namespace(namespace.metadata.name, namespace.metadata.labels)
  }
  for (const other of ['shop', 'cert-manager']) await api.namespace(other)
})
afterAll(() => api?.stop())

describe('every object of the program', () => {
  it('is accepted by the API server with strict validation of its fields', async () => {
    expect(manifests.length).toBeGreaterThan(80)
    for (const manifest of manifests) expect(await refusalOf(manifest)).toBe('')
  })

  it('starts pods that the Pod Security of their namespace admits', async () => {
    const owners = manifests.filter(({ spec }) => spec?.template !== undefined)
    expect(owners.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['Job', 'StatefulSet', 'Deployment']),
    )
    for (const { metadata, spec } of owners) {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...spec?.template?.metadata,
          name: metadata.name,
          namespace: metadata.namespace,
        },
        spec: {
          ...spec?.template?.spec,
          serviceAccountName: 'default',
          // A claim becomes a volume of each pod; what kind it is does not matter here.
          volumes: [
            ...(spec?.template?.spec.volumes ?? []),
            ...(spec?.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
              name,
              emptyDir: {},
            })),
          ],
        },
      }
      expect(await refusalOf(pod)).toBe('')
    }
  })
})
