import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindingCommand, operatorBindingManifest } from '#core/operator-binding'
import { endpointOf } from '../operator/runtime/kubeconfig.ts'
import type { KubeObject } from '../test/support/api-requests.ts'
import { startApiServer, type TestApiServer } from '../test/support/apiserver.ts'
import { callAsAdministrator } from '../test/support/platform-team.ts'
import { bindOperator } from './enable-cluster.ts'

const GROUP = 'rbac.authorization.k8s.io'
const RBAC = `/apis/${GROUP}/v1`
const bindings = (namespace: string) => `${RBAC}/namespaces/${namespace}/rolebindings`

let api: TestApiServer
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-enable-'))
  api = await startApiServer()
  await api.namespace('palisade-system')
})
afterAll(async () => {
  await api?.stop()
  await rm(dir, { recursive: true })
})

const rbac = (kind: string, name: string, rest: object): KubeObject => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name },
  ...rest,
})
const bound = (namespace: string) => api.get(`${bindings(namespace)}/palisade`)

/** The operator is bound by whoever has this token; the administrator without one. */
async function bindAs(namespace: string, token?: string) {
  const path = join(dir, `kubeconfig-of-${namespace}`)
  const config = JSON.parse(api.kubeconfig) as object
  const users = token === undefined ? {} : { users: [{ name: 'admin', user: { token } }] }
  await writeFile(path, JSON.stringify({ ...config, ...users }), { mode: 0o600 })
  return bindOperator(namespace, await endpointOf(path))
}

describe('palisade enable in a cluster without Palisade', () => {
  it('binds nothing, whatever the caller may bind', async () => {
    await api.namespace('elsewhere')
    await expect(bindAs('elsewhere')).rejects.toMatchObject({ code: 'ERR_PLATFORM_MISSING' })
    expect((await bound('elsewhere')).status).toBe(404)
  })
})

describe('palisade enable', () => {
  beforeAll(async () => {
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['create', 'patch'] }]
    await api.apply(rbac('ClusterRole', 'palisade-namespace', { rules }), `${RBAC}/clusterroles`)
  })

  const enable = async (namespace: string) =>
    JSON.parse(await callAsAdministrator({ api }, ['enable', namespace])) as object

  it('binds the operator in this namespace alone, and the second time changes nothing', async () => {
    await api.namespace('shop')
    const bindsHere = { namespace: 'shop', cluster: api.url }
    const left = { store: 'left', next: expect.stringContaining('palisade enable shop') as string }
    expect(await enable('shop')).toEqual({ ...bindsHere, roleBinding: 'created', ...left })
    const { body } = await bound('shop')
    expect(body).toMatchObject(operatorBindingManifest('shop'))
    await expect.poll(() => rightsIn('shop')).toEqual(['create', 'patch'])
    expect(await rightsIn('default')).toEqual([])
    expect(await enable('shop')).toEqual({ ...bindsHere, roleBinding: 'unchanged', ...left })
    expect((await bound('shop')).body).toEqual(body)
  })

  it('finds what the command for kubectl made as it would make it itself', async () => {
    await api.namespace('by-hand')
    await api.kubectl(...bindingCommand('by-hand').split(' ').slice(1))
    expect(await bindAs('by-hand')).toBe('unchanged')
  })

  const isNotBind = (verb: string) => verb !== 'bind'
  const BIND = { resources: ['clusterroles'], resourceNames: ['palisade-namespace'] }
  it.each([
    ['names the right to get', ['patch', 'create', 'bind'], 'get rolebindings'],
    ['names the right to patch', ['get', 'create', 'bind'], 'patch rolebindings'],
    ['names the right to create', ['get', 'patch', 'bind'], 'create rolebindings'],
    [
      'names the right to bind',
      ['get', 'patch', 'create'],
      'bind clusterroles "palisade-namespace"',
    ],
    ['needs no more than these four', ['get', 'patch', 'create', 'bind'], undefined],
  ])('%s', async (title, verbs, lacking) => {
    const namespace = await api.namespace(title.replaceAll(' ', '-'))
    const rules = [
      { apiGroups: [GROUP], resources: ['rolebindings'], verbs: verbs.filter(isNotBind) },
      ...(verbs.every(isNotBind) ? [] : [{ apiGroups: [GROUP], ...BIND, verbs: ['bind'] }]),
    ]
    const roles = `${RBAC}/namespaces/${namespace}/roles`
    await api.apply(rbac('Role', 'caller', { rules }), roles)
    const roleRef = { apiGroup: GROUP, kind: 'Role', name: 'caller' }
    const subjects = [{ kind: 'ServiceAccount', name: 'caller', namespace }]
    await api.apply(rbac('RoleBinding', 'caller', { roleRef, subjects }), bindings(namespace))
    const token = await api.token(namespace, 'caller')
    const outcome = () => bindAs(namespace, token).catch((error: Error) => error.message)
    const words = `ERR_CLUSTER_REFUSED: this login may not ${lacking} in namespace "${namespace}"; `
    // Rights reach the authorizer a moment after they are stored.
    await expect.poll(outcome).toContain(lacking === undefined ? 'created' : words)
    expect((await bound(namespace)).status).toBe(lacking === undefined ? 200 : 404)
  })

  it('names a namespace that is not there, and one that is going', async () => {
    await expect(bindAs('nowhere')).rejects.toMatchObject({ code: 'ERR_NAMESPACE_MISSING' })
    await api.namespace('going')
    await api.ask('DELETE', '/api/v1/namespaces/going')
    await expect(bindAs('going')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_REFUSED',
      detail: expect.stringContaining('being terminated') as string,
    })
  })

  it('says that the API server does not know the login', async () => {
    await expect(bindAs('shop', 'nobody')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_REFUSED',
      detail: 'the API server does not know this login',
    })
  })

  const operator = operatorBindingManifest('').subjects
  const other = [{ kind: 'ServiceAccount', name: 'ci', namespace: 'default' }]
  it.each([
    ['gives another role', 'view', operator, 'gives ClusterRole "view"'],
    ['serves somebody else', 'palisade-namespace', other, "is somebody else's"],
    ['serves others too', 'palisade-namespace', [...operator, ...other], "is somebody else's"],
  ])(
    'leaves a RoleBinding that %s as it is, and says what to do',
    async (what, name, subjects, words) => {
      const namespace = await api.namespace(what.replaceAll(' ', '-'))
      const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name }
      await api.apply(rbac('RoleBinding', 'palisade', { roleRef, subjects }), bindings(namespace))
      const before = (await bound(namespace)).body
      const refused = bindAs(namespace)
      await expect(refused).rejects.toMatchObject({ code: 'ERR_ROLE_BINDING_TAKEN' })
      await expect(refused).rejects.toThrow(words)
      await expect(refused).rejects.toThrow(`kubectl delete -n ${namespace} rolebinding palisade`)
      expect((await bound(namespace)).body).toEqual(before)
    },
  )
})

/** What the operator may do with Secrets there, as the API server's own authorizer has it. */
async function rightsIn(namespace: string): Promise<readonly string[]> {
  const verbs = ['create', 'patch', 'update', 'get', 'list', 'watch', 'delete']
  const answers = await Promise.all(
    verbs.map(async (verb) => {
      const review = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'system:serviceaccount:palisade-system:operator',
          resourceAttributes: { verb, resource: 'secrets', namespace },
        },
      })
      return (api.expectOk(review)['status'] as { allowed: boolean }).allowed
    }),
  )
  return verbs.filter((_, index) => answers[index])
}
