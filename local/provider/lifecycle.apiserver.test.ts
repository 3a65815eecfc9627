import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TestApiServer } from '../../test/support/apiserver.ts'
import { startTestCluster, testStack, type TestStack } from '../../test/support/provider-stack.ts'
import { fieldManagerFor } from './field-manager.ts'

interface Listed {
  type: string
  name: string
  inputs: Record<string, unknown>
  secretInputs?: Record<string, unknown>
  after?: string
  importId?: string
}

const configMap = (
  name: string,
  data: Record<string, string>,
  metadata: Record<string, unknown> = {},
): Listed => ({
  type: 'kubernetes:core/v1:ConfigMap',
  name,
  inputs: { metadata: { name, namespace: 'shop', ...metadata }, data },
})

const account = (name: string, metadata: Record<string, unknown> = {}): Listed => ({
  type: 'kubernetes:core/v1:ServiceAccount',
  name,
  inputs: {
    metadata: { name, namespace: 'shop', ...metadata },
    automountServiceAccountToken: false,
  },
})

const deployment = (annotations: Record<string, string>): Listed => ({
  type: 'kubernetes:apps/v1:Deployment',
  name: 'slow',
  inputs: {
    metadata: { name: 'slow', namespace: 'shop', annotations },
    spec: {
      selector: { matchLabels: { app: 'slow' } },
      template: {
        metadata: { labels: { app: 'slow' } },
        spec: { containers: [{ name: 'app', image: 'example.invalid/app:1' }] },
      },
    },
  },
})

const config = (...resources: Listed[]) => ({ 'listed:resources': resources })

// One stack for all: each run takes away what the rule before it made, so every rule has names of its own.
let cluster: TestApiServer
let stack: TestStack
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.namespace('shop')
  stack = await testStack(cluster, 'listed', 'listed')
})
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await cluster?.stop()
})
beforeEach(() => {
  stack.lines.length = 0
})

const uid = (kind: string, name: string) =>
  cluster.kubectl('get', kind, name, '-n', 'shop', '-o', 'jsonpath={.metadata.uid}')
const field = (kind: string, name: string, path: string) =>
  cluster.kubectl('get', kind, name, '-n', 'shop', '-o', `jsonpath={${path}}`)

const kubectl = (...args: string[]) => cluster.kubectl(...args, '-n', 'shop')
const told = () => stack.lines.join('\n')
const soon = { timeout: 60_000 }

describe('update and replacement', () => {
  const before = (label: boolean, data: string) =>
    config(
      account('labelled', label ? { labels: { tier: 'one' } } : {}),
      configMap('replaced', { a: data }),
      account('deleted-by-hand'),
    )

  it('changes a field in place, replaces data under a fixed name, makes again what someone deleted', async () => {
    await stack.run('up', before(true, '1'))
    const old = { sa: await uid('sa', 'labelled'), cm: await uid('cm', 'replaced') }
    expect(await field('sa', 'labelled', '.metadata.labels.tier')).toBe('one')
    await kubectl('delete', 'sa', 'deleted-by-hand')

    const { changes } = await stack.run('up', before(false, '2'))
    expect(changes).toMatchObject({ update: 2, replace: 1 })
    expect(await field('sa', 'labelled', '.metadata.labels.tier')).toBe('')
    expect(await uid('sa', 'labelled')).toBe(old.sa)
    expect(await field('cm', 'replaced', '.data.a')).toBe('2')
    expect(await uid('cm', 'replaced')).not.toBe(old.cm)
    expect(await uid('sa', 'deleted-by-hand')).not.toBe('')
  })

  it('changes the data in place where the configuration calls ConfigMaps mutable', async () => {
    const mutable = { 'kubernetes:enableConfigMapMutable': 'true' }
    await stack.run('up', { ...config(configMap('mutable', { a: '1' })), ...mutable })
    const before = await uid('cm', 'mutable')
    await stack.run('up', { ...config(configMap('mutable', { a: '2' })), ...mutable })
    expect(await uid('cm', 'mutable')).toBe(before)
    expect(await field('cm', 'mutable', '.data.a')).toBe('2')
  })
})

describe('objects and fields of others', () => {
  it('names the field and its manager when another manager holds it', async () => {
    const held = (tier: string) => config(account('held', { labels: { tier } }))
    await stack.run('up', held('one'))
    await kubectl('label', 'sa', 'held', '--overwrite', 'tier=two')
    await expect(stack.run('up', held('three'))).rejects.toThrow(
      /ERR_FIELD_CONFLICT: ServiceAccount shop\/held: \.metadata\.labels\.tier is held by "kubectl-label"/,
    )
    expect(await field('sa', 'held', '.metadata.labels.tier')).toBe('two')
  })

  it('puts back a field that somebody took away since, and keeps what they added', async () => {
    const drifting = () => stack.run('up', config(account('drifting', { labels: { tier: 'one' } })))
    await drifting()
    expect((await drifting()).changes).toEqual({ same: 2 })
    await kubectl('label', 'sa', 'drifting', 'tier-', 'theirs=kept')
    expect((await drifting()).changes).toMatchObject({ update: 1 })
    expect(JSON.parse(await field('sa', 'drifting', '.metadata.labels'))).toEqual({
      tier: 'one',
      theirs: 'kept',
    })
    expect((await drifting()).changes).toEqual({ same: 2 })
  })

  it('sees what somebody changed though a refresh has read it into the record', async () => {
    const denying = config({
      type: 'kubernetes:networking.k8s.io/v1:NetworkPolicy',
      name: 'denying',
      inputs: { metadata: { name: 'denying', namespace: 'shop' }, spec: { podSelector: {} } },
    })
    await stack.run('up', denying)
    // The selector is one value to the API server, and the program's has no field that could differ.
    const nobody = JSON.stringify({ spec: { podSelector: { matchLabels: { app: 'nobody' } } } })
    await kubectl('patch', 'networkpolicy', 'denying', '--type=merge', '-p', nobody)
    await stack.run('refresh', denying)
    await expect(stack.run('up', denying)).rejects.toThrow(
      /ERR_FIELD_CONFLICT: NetworkPolicy shop\/denying: \.spec\.podSelector is held by "kubectl-patch"/,
    )
  })

  const refusal = async (...resources: Parameters<typeof config>): Promise<string> => {
    const failure: unknown = await stack
      .run('up', config(...resources))
      .catch((error: unknown) => error)
    return (failure as Error).message
  }

  it('refuses a foreign object by its name and leaves it as it is', async () => {
    await kubectl('create', 'configmap', 'foreign', '--from-literal=a=theirs')
    expect(await refusal(configMap('foreign', { a: 'ours' }))).toContain(
      'ERR_OBJECT_EXISTS: ConfigMap shop/foreign exists already',
    )
    expect(await field('cm', 'foreign', '.data.a')).toBe('theirs')
  })

  const imported = (one: Listed): Listed => ({ ...one, importId: `shop/${one.name}` })

  it('takes a foreign object over by its import as it is, and writes nothing then and in the next run', async () => {
    await kubectl('create', 'configmap', 'imported', '--from-literal=a=theirs')
    const version = () => field('cm', 'imported', '.metadata.resourceVersion')
    const found = await version()
    const takeOver = () => stack.run('up', config(imported(configMap('imported', { a: 'theirs' }))))
    expect((await takeOver()).changes).toMatchObject({ import: 1 })
    expect((await takeOver()).changes).toEqual({ same: 2 })
    expect(await version()).toBe(found)
  })

  it.each([
    [
      'may not change',
      ['configmap', 'fixed', '--from-literal=a=theirs'],
      configMap('fixed', { a: 'ours' }),
      /^ConfigMap fixed: .*\ndata\.a: /,
    ],
    [
      'another manager holds',
      ['serviceaccount', 'theirs'],
      account('theirs', { labels: { tier: 'ours' } }),
      /ERR_FIELD_CONFLICT: ServiceAccount shop\/theirs: \.metadata\.labels\.tier is held by/,
    ],
  ])('names the field of an import that differs and that %s', async (_, made, wish, named) => {
    const [kind = ''] = made
    await kubectl('create', ...made)
    await kubectl('label', kind, wish.name, 'tier=theirs')
    const found = await field(kind, wish.name, '.metadata.resourceVersion')
    expect(await refusal(imported(wish))).toMatch(named)
    expect(await field(kind, wish.name, '.metadata.resourceVersion')).toBe(found)
  })

  it('refuses an unknown kind by its name', async () => {
    const gadget = {
      type: 'kubernetes:example.org/v1:Gadget',
      name: 'g',
      inputs: { metadata: { name: 'g' } },
    }
    expect(await refusal(gadget)).toContain(
      'ERR_KIND_UNKNOWN: the cluster does not serve kind "Gadget" of "example.org/v1"',
    )
  })

  it('names a Secret that the API server refuses, without its value', async () => {
    const secret = {
      type: 'kubernetes:core/v1:Secret',
      name: 'refused',
      inputs: {
        metadata: { name: 'refused', namespace: 'shop' },
        type: 'kubernetes.io/dockerconfigjson',
      },
      secretInputs: { stringData: { '.dockerconfigjson': 'hidden-canary-5678' } },
    }
    const message = await refusal(secret)
    expect(message).toContain('ERR_API_REFUSED: Secret shop/refused')
    expect(message + told()).not.toContain('hidden-canary-5678')
  })
})

describe('readiness', () => {
  const PULL = {
    name: 'slow-1',
    ready: false,
    restartCount: 0,
    image: '',
    imageID: '',
    state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
  }

  it('names the pod and its reason when a Deployment is not ready in time, and keeps it in the state', async () => {
    await kubectl('run', 'slow-1', '--image=example.invalid/app:1', '--labels=app=slow')
    const patch = JSON.stringify({ status: { containerStatuses: [PULL] } })
    await kubectl('patch', 'pod', 'slow-1', '--subresource=status', '--type=merge', '-p', patch)
    const run = stack.run('up', config(deployment({ 'pulumi.com/timeoutSeconds': '2' })))
    await expect(run).rejects.toThrow(
      /ERR_NOT_READY: Deployment shop\/slow is not ready after 2 s: .*pod slow-1: container "slow-1": ImagePullBackOff: no such image/,
    )
    const recorded = (await stack.resources()).find((one) => one.id === 'shop/slow')
    expect(recorded).toMatchObject({ initErrors: [expect.stringContaining('ERR_NOT_READY')] })
    // The record makes the next run an update, which here no longer waits.
    const patient = config(deployment({ 'pulumi.com/skipAwait': 'true' }))
    expect((await stack.run('up', patient)).changes).toMatchObject({ update: 1 })
  })

  it('waits for the condition that an annotation names', async () => {
    const annotations = { 'pulumi.com/waitFor': 'jsonpath={.data.go}=yes' }
    const run = stack.run('up', config(configMap('awaited', { a: '1' }, { annotations })))
    await expect.poll(told, soon).toContain('waiting: data.go is missing')
    await kubectl('patch', 'cm', 'awaited', '-p', '{"data":{"go":"yes"}}')
    expect((await run).changes).toMatchObject({ create: 1 })
  })
})

describe('deletion', () => {
  it('waits for a finalizer, says which, and passes over what is gone already', async () => {
    const finalized = configMap('finalized', { a: '1' }, { finalizers: ['example.com/hold'] })
    await stack.run('up', config(finalized, account('gone')))
    await kubectl('delete', 'sa', 'gone')
    const run = stack.run('up', config())
    await expect.poll(told, soon).toContain('held by finalizers example.com/hold')
    await kubectl(
      'patch',
      'cm',
      'finalized',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    )
    expect((await run).changes).toMatchObject({ delete: 2 })
    await expect(uid('cm', 'finalized')).rejects.toThrow(/not found/)
  })
})

describe('field manager', () => {
  it('has the name drawn from the URN, by which an object of a killed run is known again', async () => {
    await stack.run('up', config(account('managed')))
    const managers = await field('sa', 'managed', '.metadata.managedFields[*].manager')
    expect(managers).toBe(
      fieldManagerFor('urn:pulumi:dev::listed::kubernetes:core/v1:ServiceAccount::managed'),
    )
    await kubectl('delete', 'sa', 'managed')
    await stack.run('refresh', config(account('managed')))
    expect((await stack.resources()).map((one) => one.id)).not.toContain('shop/managed')
  })
})
