import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { chartValues, type Stage } from '../../infra/workload/chart-values.ts'
import { namespaceLabels } from '../../infra/workload/namespace.ts'
import { toolPath } from '../../local/tools/path.ts'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { dryRuns, type RefusalOf } from '../../test/support/dry-run.ts'
import { exampleStack } from '../../test/support/recorded-program.ts'

const run = promisify(execFile)
const CHART = import.meta.dirname

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: readonly { readonly resources: string[]; readonly verbs: string[] }[]
  readonly spec?: { readonly template?: { readonly metadata: object; readonly spec: object } }
}

let folder: string
let api: TestApiServer
let refusalOf: RefusalOf
const config = exampleStack()

async function template(values: object): Promise<string> {
  const path = join(folder, 'values.json')
  await writeFile(path, JSON.stringify(values))
  const { stdout } = await run(await toolPath('helm'), [
    'template',
    'palisade',
    CHART,
    ...['--namespace', 'palisade-system', '--kube-version', '1.34.0', '--values', path],
  ])
  return stdout
}
const stage = (name: Stage, stack = config) =>
  template(chartValues(stack, name, 'https://api.palisade.localhost'))
const objects = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((one) => one !== null)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-chart-'))
  api = await startApiServer()
  await api.installCrds()
  await api.namespace('palisade-system', namespaceLabels())
  refusalOf = await dryRuns(api, 'palisade-system')
})
afterAll(async () => {
  await api?.stop()
  await rm(folder, { recursive: true })
})

describe('charts/palisade', () => {
  it('is clean for helm lint', async () => {
    const { stdout } = await run(await toolPath('helm'), ['lint', CHART, '--set', 'image=a:1'])
    expect(stdout).toContain('0 chart(s) failed')
  })

  it('renders the same text twice: it makes nothing up', async () => {
    expect(await stage('services')).toBe(await stage('services'))
    expect(await stage('operator')).toBe(await stage('operator'))
  })

  it.each([
    ['no image', {}, '/image'],
    ['an unknown key', { image: 'a:1', gateways: {} }, 'gateways'],
    ['an unknown profile', { image: 'a:1', profile: 'prod' }, '/profile'],
    ['zero replicas', { image: 'a:1', gateway: { replicas: 0 } }, '/gateway/replicas'],
    ['an API server that is nowhere', { image: 'a:1' }, 'networkPolicies.apiServer.cidrs is empty'],
    [
      'an API server that may be anywhere',
      {
        image: 'a:1',
        networkPolicies: { apiServer: { cidrs: ['10.0.0.1/32', '0.0.0.0/0'] } },
      },
      'networkPolicies.apiServer.cidrs: 0.0.0.0/0',
    ],
  ])('refuses %s and names the field', async (_, values, field) => {
    const failure = await template(values).catch((error: { stderr: string }) => error.stderr)
    expect(failure).toContain(field)
  })

  it.each(['operator', 'services'] as const)(
    'stage %s is accepted by the API server',
    async (name) => {
      const made = objects(await stage(name))
      expect(made.length).toBeGreaterThan(5)
      for (const manifest of made) expect(await refusalOf(manifest)).toBe('')
    },
  )

  it('has each object once, which keeps one pod of several when a node is drained', async () => {
    const stack = exampleStack({ gateway: { replicas: 3 }, operator: { replicas: 2 } })
    const made = [
      ...objects(await stage('operator', stack)),
      ...objects(await stage('services', stack)),
    ]
    const names = made.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    expect(names).toEqual(
      expect.arrayContaining(['PodDisruptionBudget gateway', 'PodDisruptionBudget operator']),
    )
    for (const manifest of made) expect(await refusalOf(manifest)).toBe('')
  })

  it('starts pods that restricted Pod Security admits', async () => {
    const owners = [
      ...objects(await stage('operator')),
      ...objects(await stage('services')),
    ].filter(({ kind }) => kind === 'Deployment')
    expect(owners.map(({ metadata }) => metadata.name).sort()).toEqual([
      'gateway',
      'operator',
      'sealer',
    ])
    for (const { metadata, spec } of owners) {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...spec?.template?.metadata, name: metadata.name },
        spec: { ...spec?.template?.spec, serviceAccountName: 'default' },
      }
      expect(await refusalOf(pod)).toBe('')
    }
  })

  it('tells the gateway the room of the audit volume in digits, however large it is', async () => {
    const told = async (postgres: object) =>
      /PALISADE_AUDIT_VOLUME_BYTES\n +value: "(.*)"/.exec(
        await stage('services', exampleStack({ postgres })),
      )?.[1]
    expect(await told({})).toBe('1020054732')
    expect(await told({ auditVolume: '200Ti' })).toBe('208907209277440')
  })

  it('lets the gateway review tokens, and ask the API server for nothing else', async () => {
    const made = objects(await stage('services'))
    const granted = made.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    expect(granted.map(({ metadata, rules }) => [metadata.name, rules])).toEqual([
      [
        'palisade-gateway',
        [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
      ],
    ])
    const pods = made.flatMap(({ spec }) => (spec?.template ? [spec.template.spec] : []))
    expect(pods).not.toHaveLength(0)
    for (const pod of pods) expect(pod).toMatchObject({ automountServiceAccountToken: false })
  })

  it('lets the operator write Secrets of a namespace that opted in, and read none anywhere', async () => {
    const rules = objects(await stage('operator'))
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .flatMap(({ metadata, rules: granted = [] }) =>
        granted.map((rule) => ({ role: metadata.name, ...rule })),
      )
    const onSecrets = rules.filter(
      ({ resources }) => resources.includes('secrets') || resources.includes('*'),
    )
    expect(onSecrets).toHaveLength(1)
    expect(onSecrets[0]).toMatchObject({ role: 'palisade-namespace', verbs: ['create', 'patch'] })
  })

  it('mounts of the connection Secret of an existing database its authority and nothing else', async () => {
    const existing = {
      secret: 'managed-postgres',
      host: 'db.example.net',
      port: 6432,
      database: 'palisade',
      cidrs: ['192.0.2.0/28'],
    }
    const stack = exampleStack({ postgres: { existing } })
    const text = `${await stage('operator', stack)}\n---\n${await stage('services', stack)}`
    const made = objects(text)
    for (const manifest of made) expect(await refusalOf(manifest)).toBe('')
    const volumes = made.flatMap(
      ({ spec }) =>
        (spec?.template?.spec as { volumes?: { secret?: { secretName: string } }[] } | undefined)
          ?.volumes ?? [],
    )
    const mounted = volumes.filter(({ secret }) => secret?.secretName === 'managed-postgres')
    expect(mounted).toHaveLength(2)
    for (const { secret } of mounted) {
      expect(secret).toMatchObject({ items: [{ key: 'ca.crt', path: 'ca.crt' }] })
    }
    expect(text).not.toContain('cnpg.io/podRole')
    expect(text.match(/ipBlock: \{ cidr: "192\.0\.2\.0\/28" \}/g)).toHaveLength(3)
  })
  it('gives the sealer alone the credential of the object store, and the way there', async () => {
    const objectStore = {
      endpoint: 'https://s3.example.net:9000',
      bucket: 'palisade-audit',
      region: 'eu-central-1',
      secret: 'audit-object-store',
      keys: { accessKeyId: 'AWS_ACCESS_KEY_ID' },
      cidrs: ['192.0.2.0/28'],
    }
    const text = await stage('services', exampleStack({ audit: { objectStore } }))
    const made = objects(text)
    for (const manifest of made) expect(await refusalOf(manifest)).toBe('')
    const holding = made.filter((one) => JSON.stringify(one).includes('"audit-object-store"'))
    expect(holding.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Deployment sealer',
    ])
    expect(JSON.stringify(holding)).toContain(
      '"items":[{"key":"AWS_ACCESS_KEY_ID","path":"access-key-id"},{"key":"secret-access-key","path":"secret-access-key"}',
    )
    const reaching = made.filter((one) => JSON.stringify(one).includes('"cidr":"192.0.2.0/28"'))
    expect(reaching.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'NetworkPolicy sealer',
    ])
    expect(await stage('services')).not.toContain('OBJECT_STORE')
  })
})
