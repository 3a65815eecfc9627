import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApiServer } from '../../test/support/apiserver.ts'
import { startTestCluster, testStack, type TestStack } from '../../test/support/provider-stack.ts'
import { fieldManagerFor } from './field-manager.ts'

interface Listed {
  type: string
  name: string
  inputs: Record<string, unknown>
  secretInputs?: Record<string, unknown>
  after?: string
}

const settings = (
  data: Record<string, string>,
  metadata: Record<string, unknown> = {},
): Listed => ({
  type: 'kubernetes:core/v1:ConfigMap',
  name: 'settings',
  inputs: { metadata: { name: 'settings', namespace: 'shop', ...metadata }, data },
})

const account = (metadata: Record<string, unknown> = {}): Listed => ({
  type: 'kubernetes:core/v1:ServiceAccount',
  name: 'orders',
  inputs: {
    metadata: { name: 'orders', namespace: 'shop', ...metadata },
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

let cluster: TestApiServer
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.namespace('shop')
})
afterAll(() => cluster?.stop())

async function withStack(use: (stack: TestStack) => Promise<void>): Promise<void> {
  await using stack = await testStack(cluster, 'listed', 'listed')
  try {
    await use(stack)
  } finally {
    await stack.run('destroy', config())
  }
}

const uid = (kind: string, name: string) =>
  cluster.kubectl('get', kind, name, '-n', 'shop', '-o', 'jsonpath={.metadata.uid}')
const field = (kind: string, name: string, path: string) =>
  cluster.kubectl('get', kind, name, '-n', 'shop', '-o', `jsonpath={${path}}`)

describe('update and replacement', () => {
  it('changes a label in place and removes it when the program drops it', () =>
    withStack(async (stack) => {
      await stack.run('up', config(account()))
      const before = await uid('sa', 'orders')
      const labelled = await stack.run('up', config(account({ labels: { tier: 'one' } })))
      expect(labelled.changes).toMatchObject({ update: 1 })
      expect(await field('sa', 'orders', '.metadata.labels.tier')).toBe('one')
      await stack.run('up', config(account()))
      expect(await field('sa', 'orders', '.metadata.labels.tier')).toBe('')
      expect(await uid('sa', 'orders')).toBe(before)
    }))

  it('replaces a ConfigMap of a fixed name whose data change, deleting the old one first', () =>
    withStack(async (stack) => {
      await stack.run('up', config(settings({ a: '1' })))
      const before = await uid('cm', 'settings')
      const { changes } = await stack.run('up', config(settings({ a: '2' })))
      expect(changes).toMatchObject({ replace: 1 })
      expect(await uid('cm', 'settings')).not.toBe(before)
      expect(await field('cm', 'settings', '.data.a')).toBe('2')
    }))

  it('changes the data in place where the configuration calls ConfigMaps mutable', () =>
    withStack(async (stack) => {
      const mutable = { 'kubernetes:enableConfigMapMutable': 'true' }
      await stack.run('up', { ...config(settings({ a: '1' })), ...mutable })
      const before = await uid('cm', 'settings')
      await stack.run('up', { ...config(settings({ a: '2' })), ...mutable })
      expect(await uid('cm', 'settings')).toBe(before)
      expect(await field('cm', 'settings', '.data.a')).toBe('2')
    }))

  it('makes an object again that someone deleted', () =>
    withStack(async (stack) => {
      await stack.run('up', config(account()))
      await cluster.kubectl('delete', 'sa', 'orders', '-n', 'shop')
      expect((await stack.run('up', config(account()))).changes).toMatchObject({ update: 1 })
      expect(await uid('sa', 'orders')).not.toBe('')
    }))
})

describe('objects and fields of others', () => {
  it('names the field and its manager when another manager holds it', () =>
    withStack(async (stack) => {
      await stack.run('up', config(account({ labels: { tier: 'one' } })))
      await cluster.kubectl('label', 'sa', 'orders', '-n', 'shop', '--overwrite', 'tier=two')
      const second = stack.run('up', config(account({ labels: { tier: 'three' } })))
      await expect(second).rejects.toThrow(
        /ERR_FIELD_CONFLICT: ServiceAccount shop\/orders: \.metadata\.labels\.tier is held by "kubectl-label"/,
      )
      expect(await field('sa', 'orders', '.metadata.labels.tier')).toBe('two')
    }))

  it('does not take over an object that exists and was not made by the resource', () =>
    withStack(async (stack) => {
      await cluster.kubectl(
        'create',
        'configmap',
        'settings',
        '-n',
        'shop',
        '--from-literal=a=theirs',
      )
      await expect(stack.run('up', config(settings({ a: 'ours' })))).rejects.toThrow(
        /ERR_OBJECT_EXISTS: ConfigMap shop\/settings exists already/,
      )
      expect(await field('cm', 'settings', '.data.a')).toBe('theirs')
      await cluster.kubectl('delete', 'cm', 'settings', '-n', 'shop')
    }))

  it('refuses a kind that the cluster does not serve, by name', () =>
    withStack(async (stack) => {
      const gadget = {
        type: 'kubernetes:example.org/v1:Gadget',
        name: 'g',
        inputs: { metadata: { name: 'g' } },
      }
      await expect(stack.run('up', config(gadget))).rejects.toThrow(
        /ERR_KIND_UNKNOWN: the cluster does not serve kind "Gadget" of "example.org\/v1"/,
      )
    }))

  it('keeps a refused secret value out of the error', () =>
    withStack(async (stack) => {
      const secret = {
        type: 'kubernetes:core/v1:Secret',
        name: 'token',
        inputs: {
          metadata: { name: 'token', namespace: 'shop' },
          type: 'kubernetes.io/dockerconfigjson',
        },
        secretInputs: { stringData: { '.dockerconfigjson': 'hidden-canary-5678' } },
      }
      const run = stack.run('up', config(secret))
      await expect(run).rejects.toThrow(/ERR_API_REFUSED: Secret shop\/token/)
      await expect(run).rejects.not.toThrow(/hidden-canary-5678/)
      expect(stack.lines.join('\n')).not.toContain('hidden-canary-5678')
    }))
})

describe('readiness', () => {
  it('names the pod and its reason when a Deployment is not ready in time, and keeps it in the state', () =>
    withStack(async (stack) => {
      await cluster.kubectl(
        'run',
        'slow-1',
        '-n',
        'shop',
        '--image=example.invalid/app:1',
        '--labels=app=slow',
      )
      const waiting = [
        {
          name: 'slow-1',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
        },
      ]
      const patch = JSON.stringify({ status: { containerStatuses: waiting } })
      await cluster.kubectl(
        'patch',
        'pod',
        'slow-1',
        '-n',
        'shop',
        '--subresource=status',
        '--type=merge',
        '-p',
        patch,
      )
      const run = stack.run('up', config(deployment({ 'pulumi.com/timeoutSeconds': '2' })))
      await expect(run).rejects.toThrow(
        /ERR_NOT_READY: Deployment shop\/slow is not ready after 2 s: .*pod slow-1: container "slow-1": ImagePullBackOff: no such image/,
      )
      const recorded = (await stack.resources()).find((one) => one.id === 'shop/slow')
      expect(recorded).toMatchObject({ initErrors: [expect.stringContaining('ERR_NOT_READY')] })
      // The record makes the next run an update, which here no longer waits.
      const { changes } = await stack.run(
        'up',
        config(deployment({ 'pulumi.com/skipAwait': 'true' })),
      )
      expect(changes).toMatchObject({ update: 1 })
      await cluster.kubectl('delete', 'pod', 'slow-1', '-n', 'shop', '--force', '--grace-period=0')
    }))

  it('waits for the condition that an annotation names', () =>
    withStack(async (stack) => {
      const awaited = settings(
        { a: '1' },
        { annotations: { 'pulumi.com/waitFor': 'jsonpath={.data.go}=yes' } },
      )
      const run = stack.run('up', config(awaited))
      await expect
        .poll(() => stack.lines.join('\n'), { timeout: 30_000 })
        .toContain('waiting: data.go is missing')
      await cluster.kubectl('patch', 'cm', 'settings', '-n', 'shop', '-p', '{"data":{"go":"yes"}}')
      expect((await run).changes).toMatchObject({ create: 2 })
    }))
})

describe('deletion', () => {
  it('waits for a finalizer, says which, and ends when it is gone', () =>
    withStack(async (stack) => {
      await stack.run('up', config(settings({ a: '1' }, { finalizers: ['example.com/hold'] })))
      const run = stack.run('up', config())
      await expect
        .poll(() => stack.lines.join('\n'), { timeout: 40_000 })
        .toContain('held by finalizers example.com/hold')
      await cluster.kubectl(
        'patch',
        'cm',
        'settings',
        '-n',
        'shop',
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      )
      expect((await run).changes).toMatchObject({ delete: 1 })
      await expect(uid('cm', 'settings')).rejects.toThrow(/not found/)
    }))

  it('forgets an object that is gone already', () =>
    withStack(async (stack) => {
      await stack.run('up', config(account()))
      await cluster.kubectl('delete', 'sa', 'orders', '-n', 'shop')
      await stack.run('refresh', config(account()))
      expect((await stack.resources()).map((one) => one.id)).not.toContain('shop/orders')
    }))
})

describe('field manager', () => {
  it('is the same name in each run, so that an object of a killed run is known again', async () => {
    const urn = 'urn:pulumi:dev::listed::kubernetes:core/v1:ServiceAccount::orders'
    await withStack(async (stack) => {
      await stack.run('up', config(account()))
      const managers = await field('sa', 'orders', '.metadata.managedFields[*].manager')
      expect(managers).toBe(fieldManagerFor(urn))
    })
  })
})
