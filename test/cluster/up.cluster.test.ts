import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kubectl, kubectlJson } from '../support/cluster.ts'

const ROOT = join(import.meta.dirname, '../..')

/**
 * What changes by itself: leases and heartbeats, what was told, and readiness, which a busy machine may lose for a
 * moment. Every other kind that the API server can list is compared, whoever made the object.
 */
const RESTLESS = new Set([
  ...['events', 'events.events.k8s.io', 'leases.coordination.k8s.io', 'nodes'],
  ...['pods', 'endpoints', 'endpointslices.discovery.k8s.io', 'replicasets.apps'],
  ...['resourcequotas', 'componentstatuses'],
])
/** A few of the kinds that must be among them, or the comparison has become an empty one. */
const EXPECTED = [
  ...['CustomResourceDefinition', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'Namespace', 'Secret'],
  ...['SecretRotation', 'RotationBackend', 'Deployment', 'StatefulSet', 'NetworkPolicy'],
  ...['Certificate', 'ClusterIssuer', 'Cluster', 'Prometheus', 'Alertmanager', 'Job', 'LimitRange'],
  ...['ClusterRole', 'RoleBinding', 'StorageClass', 'PersistentVolumeClaim', 'ServiceAccount'],
]

interface Item {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly resourceVersion: string
  }
}

async function versions(): Promise<ReadonlyMap<string, string>> {
  const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n')
  const wanted = kinds.filter((kind) => !RESTLESS.has(kind) && !kind.endsWith('.metrics.k8s.io'))
  const { items } = await kubectlJson<{ items: Item[] }>('get', wanted.join(','), '-A')
  return new Map(
    items.map(({ kind, metadata: { namespace = '', name, resourceVersion } }) => [
      `${kind} ${namespace}/${name}`,
      resourceVersion,
    ]),
  )
}

describe('make up', () => {
  it('changes no object of any kind when the platform is already up', async () => {
    const before = await versions()
    const kinds = new Set([...before.keys()].map((label) => label.split(' ')[0]))
    expect(EXPECTED.filter((kind) => !kinds.has(kind))).toEqual([])
    const started = Date.now()
    const up = spawnSync('node', ['local/main.ts', 'up'], { cwd: ROOT, encoding: 'utf8' })
    const seconds = (Date.now() - started) / 1000
    expect(up.status, `${up.stdout}\n${up.stderr}`).toBe(0)
    const after = await versions()
    const labels = new Set([...before.keys(), ...after.keys()])
    const changed = [...labels].filter((label) => before.get(label) !== after.get(label))
    expect(changed).toEqual([])
    console.log(`up again: ${seconds.toFixed(1)} s, ${before.size} objects unchanged`)
  })
})
