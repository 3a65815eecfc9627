import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kubectlJson } from '../support/cluster.ts'

const ROOT = join(import.meta.dirname, '../..')
const NAMESPACED = [
  ...[
    'deployments',
    'statefulsets',
    'services',
    'configmaps',
    'serviceaccounts',
    'secrets',
    'jobs',
  ],
  ...['networkpolicies', 'roles', 'rolebindings', 'resourcequotas', 'poddisruptionbudgets'],
  ...[
    'certificates.cert-manager.io',
    'clusters.postgresql.cnpg.io',
    'prometheuses',
    'prometheusrules',
  ],
  ...['secretrotations.palisade.dev'],
].join(',')
const CLUSTER_WIDE = [
  ...['namespaces', 'customresourcedefinitions', 'validatingadmissionpolicies', 'clusterroles'],
  ...['clusterrolebindings', 'rotationbackends.palisade.dev', 'clusterissuers.cert-manager.io'],
].join(',')

interface Item {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly resourceVersion: string
  }
}

/** resourceVersion of every object in our namespaces and of the cluster-wide ones; quota's status is not ours. */
async function versions(): Promise<Record<string, string>> {
  const [inside, wide] = await Promise.all([
    kubectlJson<{ items: Item[] }>('get', NAMESPACED, '-A'),
    kubectlJson<{ items: Item[] }>('get', CLUSTER_WIDE),
  ])
  const ours = inside.items.filter(
    ({ kind, metadata }) => metadata.namespace?.startsWith('palisade-') && kind !== 'ResourceQuota',
  )
  return Object.fromEntries(
    [...ours, ...wide.items].map(({ kind, metadata }) => [
      `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      metadata.resourceVersion,
    ]),
  )
}

describe('make up', () => {
  it('changes no object when the platform is already up', async () => {
    const before = await versions()
    const started = Date.now()
    const up = spawnSync('node', ['local/main.ts', 'up'], { cwd: ROOT, encoding: 'utf8' })
    const seconds = (Date.now() - started) / 1000
    expect(up.status, `${up.stdout}\n${up.stderr}`).toBe(0)
    expect(await versions()).toEqual(before)
    console.log(`up again: ${seconds.toFixed(1)} s`)
  })
})
