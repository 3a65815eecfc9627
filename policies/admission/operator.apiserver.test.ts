import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Identity, KubeObject } from '../../test/support/api-requests.ts'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { accountName } from './list.ts'

const SYSTEM = 'palisade-system'
const MANAGER = 'palisade-secret-rotation'
let api: TestApiServer
let operator: Identity

// The rights that a namespace gives when it opts in, and reading of Secrets besides: refusals below must come
// from admission and not from a missing right.
const RULES = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'patch', 'update', 'get'] },
  {
    apiGroups: ['apps'],
    resources: ['deployments', 'statefulsets', 'daemonsets'],
    verbs: ['create', 'patch', 'update', 'get'],
  },
]

beforeAll(async () => {
  api = await startApiServer()
  await api.namespace(SYSTEM)
  await api.namespace('shop')
  operator = { token: await api.token(SYSTEM, 'operator') }
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const named = (kind: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: 'test-operator' },
  })
  await api.apply({ ...named('ClusterRole'), rules: RULES } as KubeObject, `${rbac}/clusterroles`)
  await api.apply(
    {
      ...named('ClusterRoleBinding'),
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'test-operator',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: SYSTEM }],
    } as KubeObject,
    `${rbac}/clusterrolebindings`,
  )
  await api.installAdmissionPolicies(accountName(SYSTEM, 'operator'))
}, 120_000)
afterAll(() => api?.stop())

const SECRETS = '/api/v1/namespaces/shop/secrets'
const WORKLOADS = '/apis/apps/v1/namespaces/shop/deployments'
const published = (
  name: string,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  data: Readonly<Record<string, string>> = {},
) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop', labels, annotations },
  stringData: data,
})
const ours = { 'palisade.dev/rotation': 'orders' }
const seq = (n: string | number) => ({ 'palisade.dev/seq': String(n) })
const apply = (secret: ReturnType<typeof published>, who: Identity = operator) =>
  api.applyPatch(`${SECRETS}/${secret.metadata.name}`, secret, MANAGER, who)

describe('palisade-operator-secrets', () => {
  it('lets the operator make a labelled Secret and write it again with a higher number', async () => {
    expect((await apply(published('good', ours, seq(4)))).status).toBe(201)
    expect((await apply(published('good', ours, seq(5)))).status).toBe(200)
    expect((await apply(published('good', ours, seq(5)))).status).toBe(200)
  })

  it('refuses a Secret without the label', async () => {
    const answer = await apply(published('bare', {}, seq(1)))
    expect(answer.status).toBe(403)
    expect(answer.message).toContain('only Secrets with the label palisade.dev/rotation')
  })

  it('refuses to take over a Secret of somebody else by adding the label, and shows nothing of it', async () => {
    const canary = 'canary-51c9'
    expect((await apply(published('theirs', {}, {}, { key: canary }), {})).status).toBe(201)
    const answer = await apply(published('theirs', ours, seq(1)))
    expect(answer.status).toBe(403)
    expect(answer.message).toContain("not of rotation 'orders'")
    expect(JSON.stringify(answer)).not.toContain(Buffer.from(canary).toString('base64'))
  })

  it('refuses to move a Secret from one rotation to another', async () => {
    await apply(published('moved', ours, seq(1)))
    const answer = await apply(published('moved', { 'palisade.dev/rotation': 'billing' }, seq(2)))
    expect(answer.status).toBe(403)
    expect(answer.message).toContain("its label palisade.dev/rotation is 'orders'")
  })

  it('refuses to lower the number', async () => {
    await apply(published('fenced', ours, seq(10)))
    const answer = await apply(published('fenced', ours, seq(9)))
    expect(answer.status).toBe(422)
    expect(answer.message).toContain('stale fence: palisade.dev/seq is 10 and cannot go back to 9')
  })

  it('lets the operator write again below a number that an administrator took away', async () => {
    await apply(published('rebuilt', ours, seq(40)))
    const annotations = { 'palisade.dev/seq': null }
    api.expectOk(await api.mergePatch(`${SECRETS}/rebuilt`, { metadata: { annotations } }))
    expect((await apply(published('rebuilt', ours, seq(2)))).status).toBe(200)
  })

  it.each([
    ['drop the number', {}],
    ['write a number that is none', seq('ten')],
    ['write a number too long to compare', seq('9'.repeat(19))],
  ])('refuses to %s', async (_, annotations) => {
    await apply(published('dropped', ours, seq(3)))
    const answer = await apply(published('dropped', ours, annotations))
    expect(answer.status).toBe(422)
    expect(answer.message).toContain('palisade.dev/seq must stay, and be a number')
  })

  it('refuses to drop the number by a merge patch', async () => {
    await apply(published('merged', ours, seq(3)))
    const answer = await api.mergePatch(
      `${SECRETS}/merged`,
      { metadata: { annotations: { 'palisade.dev/seq': null } } },
      operator,
    )
    expect(answer.status).toBe(422)
  })

  it('refuses a Secret that would be filled with a token of the cluster', async () => {
    const secret = published('token', ours, {
      ...seq(1),
      'kubernetes.io/service-account.name': 'default',
    })
    const answer = await apply({ ...secret, type: 'kubernetes.io/service-account-token' } as never)
    expect(answer.status).toBe(403)
    expect(answer.message).toContain('grant access to the cluster')
  })

  it('leaves other accounts alone', async () => {
    expect((await apply(published('free', {}, {}), {})).status).toBe(201)
  })
})

const container = { name: 'main', image: 'app:1' }
const deployment = (
  name: string,
  versions: Readonly<Record<string, string>> = {},
  change: object = {},
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop', labels: { app: name } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations: { team: 'shop', ...versions } },
      spec: { containers: [container] },
    },
    ...change,
  },
})
const stamp = (versions: Readonly<Record<string, string | null>>) => ({
  spec: { template: { metadata: { annotations: versions } } },
})

describe('palisade-operator-workloads', () => {
  const path = `${WORKLOADS}/web`
  const patch = (body: object) => api.mergePatch(path, body, operator)
  beforeAll(async () => {
    await api.apply(deployment('web', { 'palisade.dev/orders-db': '4' }), WORKLOADS)
  })

  it('lets the operator raise the version, also of a Secret that was not named before', async () => {
    expect((await patch(stamp({ 'palisade.dev/orders-db': '5' }))).status).toBe(200)
    expect((await patch(stamp({ 'palisade.dev/cache': '1' }))).status).toBe(200)
  })

  it('lets the operator gather restarts in annotations of the workload, and clear them', async () => {
    const due = {
      'palisade.dev/restart-due': '2026-11-21T12:00:00Z',
      'restart-for.palisade.dev/orders-db': '6',
    }
    const none = { 'palisade.dev/restart-due': null, 'restart-for.palisade.dev/orders-db': null }
    expect((await patch({ metadata: { annotations: due } })).status).toBe(200)
    expect((await patch({ metadata: { annotations: none } })).status).toBe(200)
  })

  it('lets the operator apply the same by server-side apply', async () => {
    const { apiVersion, kind, metadata } = deployment('web')
    const body = {
      apiVersion,
      kind,
      metadata: { name: metadata.name },
      ...stamp({ 'palisade.dev/orders-db': '7' }),
    }
    expect((await api.applyPatch(path, body, MANAGER, operator)).status).toBe(200)
  })

  it('refuses to lower or drop a version', async () => {
    const lower = await patch(stamp({ 'palisade.dev/orders-db': '2' }))
    expect(lower.status).toBe(422)
    expect(lower.message).toContain('only grows')
    const drop = await patch(stamp({ 'palisade.dev/orders-db': null }))
    expect(drop.status).toBe(422)
    expect(drop.message).toContain('stays once it is there')
    const word = await patch(stamp({ 'palisade.dev/orders-db': 'latest' }))
    expect(word.status).toBe(422)
    expect(word.message).toContain('is a version number')
  })

  it.each([
    ['the replicas', { spec: { replicas: 0 } }, 'nothing of spec but'],
    ['the pause', { spec: { paused: true } }, 'nothing of spec but'],
    [
      'an image',
      { spec: { template: { spec: { containers: [{ name: 'main', image: 'evil:1' }] } } } },
      'nothing of spec.template but',
    ],
    [
      'the ServiceAccount of the Pods',
      { spec: { template: { spec: { serviceAccountName: 'admin' } } } },
      'nothing of spec.template but',
    ],
    [
      'a label of the Pods',
      { spec: { template: { metadata: { labels: { role: 'db' } } } } },
      'nothing of spec.template.metadata but',
    ],
    [
      'a foreign Pod annotation',
      stamp({ team: 'x' }),
      'only Pod template annotations of palisade.dev',
    ],
    [
      'a foreign Pod annotation away',
      stamp({ team: null }),
      'only Pod template annotations of palisade.dev',
    ],
    ['a foreign annotation', { metadata: { annotations: { a: 'b' } } }, 'only its own annotations'],
    ['a label', { metadata: { labels: { a: 'b' } } }, 'labels, finalizers or owners'],
    [
      'a finalizer',
      { metadata: { finalizers: ['palisade.dev/x'] } },
      'labels, finalizers or owners',
    ],
  ])('refuses to change %s', async (_, body, message) => {
    const answer = await patch(body)
    expect(answer.status).toBe(403)
    expect(answer.message).toContain(message)
  })

  it('refuses to make a workload', async () => {
    const answer = await api.post(WORKLOADS, deployment('new'), operator)
    expect(answer.status).toBe(403)
    expect(answer.message).toContain('may not make workloads')
  })

  it('holds for StatefulSets and DaemonSets too', async () => {
    const statefulSet = { ...deployment('set', {}, { serviceName: 'set' }), kind: 'StatefulSet' }
    const { replicas: _, ...spec } = deployment('each').spec
    const daemonSet = { ...deployment('each'), kind: 'DaemonSet', spec }
    for (const [object, plural] of [
      [statefulSet, 'statefulsets'],
      [daemonSet, 'daemonsets'],
    ] as const) {
      const collection = `/apis/apps/v1/namespaces/shop/${plural}`
      await api.apply(object, collection)
      const item = `${collection}/${object.metadata.name}`
      expect((await api.mergePatch(item, stamp({ 'palisade.dev/a': '1' }), operator)).status).toBe(
        200,
      )
      const answer = await api.mergePatch(item, { spec: { minReadySeconds: 9 } }, operator)
      expect(answer.status).toBe(403)
    }
  })

  it('leaves other accounts alone', async () => {
    const answer = await api.mergePatch(path, { spec: { replicas: 3 } })
    expect(answer.status).toBe(200)
  })
})
