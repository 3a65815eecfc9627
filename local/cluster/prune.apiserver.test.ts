import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { KubeApi } from '../provider/kubernetes/api.ts'
import { connect } from '../provider/kubernetes/connect.ts'
import { apply } from './apply.ts'
import { ensureObjects } from './ensure-objects.ts'
import { keyOf, nameOf, type Manifest } from './manifest.ts'
import { Memory } from './memory.ts'
import { withCluster } from './open.ts'
import { prune } from './prune.ts'

const context = { note: () => undefined, signal: AbortSignal.timeout(100_000) }

let cluster: TestApiServer
let api: KubeApi
// Each rule has a namespace and a state folder of its own.
let namespace = ''
let stateDir = ''
let place = 0
beforeAll(async () => {
  cluster = await startApiServer()
  api = new KubeApi(await connect({ kubeconfig: cluster.kubeconfigPath }))
})
afterAll(async () => {
  await api?.close()
  await cluster?.stop()
})
beforeEach(async () => {
  namespace = await cluster.namespace(`shop-${(place += 1)}`)
  stateDir = await mkdtemp(join(tmpdir(), 'palisade-prune-'))
})
afterEach(() => rm(stateDir, { recursive: true }))

const policy = (name: string, labels: Record<string, string> = {}): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace, labels },
  spec: { podSelector: {} },
})

const scaler = (version: string): Manifest => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    maxReplicas: 2,
  },
})

const definition = (): Manifest => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `boxes.${namespace}.test` },
  spec: {
    group: `${namespace}.test`,
    scope: 'Namespaced',
    names: { kind: 'Box', plural: 'boxes' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
})

/** As `make up` of a version that makes these and no others, in two lists. */
const up = (first: readonly Manifest[], second: readonly Manifest[] = []): Promise<number> =>
  withCluster(cluster.kubeconfigPath, async (own) => {
    await ensureObjects(own, { name: 'first', manifests: first, stateDir, context })
    await ensureObjects(own, { name: 'second', manifests: second, stateDir, context })
    const manifests = [...first, ...second]
    return prune(own, { names: ['first', 'second'], manifests, stateDir, context })
  })

const uid = async (manifest: Manifest) =>
  ((await api.find(keyOf(manifest))) as { metadata: { uid: string } } | undefined)?.metadata.uid

const remembered = async () =>
  (await Memory.open(stateDir, 'first')).known().map(({ key }) => key.name)

describe('prune', () => {
  it('deletes what the newer of two sets no longer has, once, and leaves the others as they are', async () => {
    const [dns, metrics, by] = [policy('dns'), policy('metrics'), policy('by-hand')]
    await apply(api, by)
    expect(await up([dns, metrics])).toBe(0)
    const before = await api.find(keyOf(dns))
    expect(await up([dns])).toBe(1)
    expect(await uid(metrics)).toBeUndefined()
    expect(await api.find(keyOf(dns))).toEqual(before)
    expect(await uid(by)).toBeDefined()
    expect(await remembered()).toEqual(['dns'])
    expect(await up([dns])).toBe(0)
  })

  it('leaves an object of the same name that somebody else made since', async () => {
    const metrics = policy('metrics')
    await up([metrics])
    await api.remove(keyOf(metrics), 'Background')
    await apply(api, metrics)
    const theirs = await uid(metrics)
    expect(await up([])).toBe(0)
    expect(await uid(metrics)).toBe(theirs)
    expect(await remembered()).toEqual([])
  })

  it('is not held up by what is gone already, nor by a kind that is no longer served', async () => {
    const [metrics, boxes] = [policy('metrics'), definition()]
    const { spec: _spec, ...bare } = metrics
    const box = { ...bare, apiVersion: `${namespace}.test/v1`, kind: 'Box' }
    await up([boxes], [metrics, box])
    await api.remove(keyOf(metrics), 'Background')
    await api.remove(keyOf(boxes), 'Background')
    await expect.poll(() => api.find(keyOf(boxes))).toBeUndefined()
    expect(await up([])).toBe(0)
  })

  it('leaves an object that moved to the other list, or is asked for by another version of its kind', async () => {
    const [dns, before, after] = [policy('dns'), scaler('v1'), scaler('v2')]
    await up([dns, before])
    const uids = [await uid(dns), await uid(before)]
    expect(await up([], [dns, after])).toBe(0)
    expect([await uid(dns), await uid(after)]).toEqual(uids)
    expect(await up([])).toBe(2)
    expect(await uid(after)).toBeUndefined()
  })

  it('leaves namespaces and definitions, with what others put into them', async () => {
    const room: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    const holders = [room, definition()]
    await up(holders)
    expect(await up([])).toBe(0)
    for (const holder of holders) {
      const live = await api.find(keyOf(holder))
      expect(live?.metadata, nameOf(holder)).not.toHaveProperty('deletionTimestamp')
      expect(live, nameOf(holder)).toBeDefined()
    }
  })

  it('deletes also what was applied by a run that failed before its end', async () => {
    const [made, refused] = [policy('made'), { ...policy('refused'), spec: 'none' }]
    await expect(up([made, refused])).rejects.toThrow('NetworkPolicy')
    expect(await up([])).toBe(1)
    expect(await uid(made)).toBeUndefined()
  })

  it('deletes nothing without its memory', async () => {
    const [dns, metrics] = [policy('dns'), policy('metrics')]
    await up([dns, metrics])
    await writeFile(join(stateDir, 'applied-first.json'), '{"networking.k8s.io/v1 Netw')
    expect(await up([dns])).toBe(0)
    expect(await uid(metrics)).toBeDefined()
  })
})
