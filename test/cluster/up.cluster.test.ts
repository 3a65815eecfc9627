import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ensureObjects } from '../../local/cluster/ensure-objects.ts'
import { withCluster } from '../../local/cluster/open.ts'
import { kubeconfigPath, stateDir } from '../../local/paths.ts'
import { kubectl, kubectlJson } from '../support/cluster.ts'
import { listeners, processTree, shown } from '../support/machine.ts'

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
    readonly resourceVersion?: string
    readonly managedFields?: readonly { readonly subresource?: string }[]
  }
  readonly status?: unknown
}

/**
 * Where an object stands, and what of it only somebody who writes the object changes. A status is not among that: of a
 * Deployment it tells that a Pod was not ready for a moment.
 */
interface Version {
  readonly resource: string | undefined
  readonly content: string
}

function versionOf({ metadata, status: _, ...object }: Item): Version {
  const { resourceVersion: resource, managedFields = [], ...rest } = metadata
  const written = managedFields.filter(({ subresource }) => subresource !== 'status')
  return { resource, content: JSON.stringify({ ...object, metadata: rest, written }) }
}

async function versions(): Promise<ReadonlyMap<string, Version>> {
  const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n')
  const wanted = kinds.filter((kind) => !RESTLESS.has(kind) && !kind.endsWith('.metrics.k8s.io'))
  const everything = ['get', wanted.join(','), '-A', '--show-managed-fields']
  const { items } = await kubectlJson<{ items: Item[] }>(...everything)
  return new Map(
    items.map((item) => {
      const { namespace = '', name } = item.metadata
      return [`${item.kind} ${namespace}/${name}`, versionOf(item)]
    }),
  )
}

/** One among the node's objects and one among the operators', as a version leaves them that makes more than this. */
const leftBefore = (): Promise<void> =>
  withCluster(kubeconfigPath(), async (api) => {
    const context = { note: () => undefined, signal: AbortSignal.timeout(60_000) }
    for (const [name, namespace] of [
      ['node', 'kube-system'],
      ['definitions', 'cnpg-system'],
    ] as const) {
      const metadata = { name: 'of-before', namespace }
      const manifests = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]
      await ensureObjects(api, { name, manifests, stateDir: stateDir(), context })
    }
  })

/** What a run and its children are, and which ports of the machine they open, until it ends. */
async function watch(pid: number): Promise<{ commands: string; ports: number[] }> {
  let commands = ''
  const ports: number[] = []
  for (let tree = processTree(pid); shown(tree, 'cmdline') !== ''; tree = processTree(pid)) {
    commands += shown(tree, 'cmdline')
    ports.push(...listeners(tree).map(({ port }) => port))
    await sleep(200)
  }
  return { commands, ports }
}

/** What somebody gets who runs what was printed as it stands, with nothing of ours in the shell. */
async function tokenBy(printed: string): Promise<string> {
  const [, exports = ''] = /^ +(export KUBECONFIG=.+)$/m.exec(printed) ?? []
  const [, login = ''] = /^ +a token .*:\n( +kubectl .+\|\n +curl .+)$/m.exec(printed) ?? []
  const { PATH, HOME } = process.env
  const script = `${exports}\n${login}`
  const { stdout } = await promisify(execFile)('bash', ['-ec', script], { env: { PATH, HOME } })
  return (JSON.parse(stdout) as { accessToken?: string; code?: string }).accessToken ?? stdout
}

describe('make up', () => {
  let printed = ''

  it('changes no object of any kind when the platform is already up, removes what a version before left, and opens no port', async () => {
    const before = await versions()
    await leftBefore()
    const kinds = new Set([...before.keys()].map((label) => label.split(' ')[0]))
    expect(EXPECTED.filter((kind) => !kinds.has(kind))).toEqual([])
    const started = Date.now()
    const up = spawn('node', ['local/main.ts', 'up'], { cwd: ROOT })
    const ended = once(up, 'exit')
    let text = ''
    for (const out of [up.stdout, up.stderr])
      out.on('data', (chunk: Buffer) => (text += String(chunk)))
    const seen = watch(up.pid ?? 0)
    const [code] = (await ended) as [number]
    const seconds = (Date.now() - started) / 1000
    expect(code, text).toBe(0)
    printed = text
    const after = await versions()
    const labels = new Set([...before.keys(), ...after.keys()])
    const changed = [...labels].filter((label) => {
      const [then, now] = [before.get(label), after.get(label)]
      return then?.resource !== now?.resource && then?.content !== now?.content
    })
    expect(changed).toEqual([])
    expect(text).toMatch(/✓ node .*: node palisade is Ready, 1 removed\n/)
    expect(text).toMatch(/✓ operators .*\b1 removed\n/)
    const { commands, ports } = await seen
    expect(commands).toMatch(/pulumi\nup\n/)
    expect(commands).toContain('provider/main.ts')
    expect(ports, 'ports that engine or provider opened to users of this machine').toEqual([])
    console.log(`up again: ${seconds.toFixed(1)} s, ${before.size} objects unchanged`)
  })

  it('ends by saying where the gateway is, how to get a token, which works as it stands, and what to try next', async () => {
    expect(printed).toContain('\nThe gateway answers at https://api.palisade.localhost:8443/ (')
    expect(printed).toContain('examples/rotate-postgres-password/')
    // Logins of other tests count from the same address.
    const token = () => tokenBy(printed)
    await expect.poll(token, { timeout: 90_000, interval: 13_000 }).toMatch(/^eyJ[\w-]+\.[\w-]+\./)
  })
})
