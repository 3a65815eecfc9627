import { existsSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOST_PORTS } from '../../local/bare/layout.ts'
import { mountsBeneath, readMounts } from '../../local/bare/leftovers.ts'
import { lockPath } from '../../local/lock.ts'
import { kubeconfigPath, logDir, stateDir } from '../../local/paths.ts'
import { readCheckpoint } from '../../local/stack/checkpoint.ts'
import { localStack, pulumiDir } from '../../local/stack/request.ts'
import { apply, kubectl, kubectlJson } from '../support/cluster.ts'
import { psql } from '../support/database.ts'
import { edgeClient } from '../support/edge.ts'
import {
  isListening,
  machineState,
  type MachineState,
  shown,
  stillHeld,
  stillRunning,
} from '../support/machine.ts'
import {
  afterMs,
  type CommandRun,
  killCommand,
  type Moment,
  runCommand,
} from '../support/platform-command.ts'
import { rotation } from '../support/rotate.ts'
import { type RunningPlatform, runningPlatform, tracesOf } from '../support/running-platform.ts'
import { seeded } from '../support/seeded.ts'

// Takes the platform away, so it comes last. A cut-off run is mended by `make up`.

const SYSTEM = 'palisade-system'
const DATABASE = ['-n', 'palisade-data'] as const
/** Objects whose names a controller draws by chance, or that come and go by themselves. */
const DRAWN = new Set([
  ...['pods', 'events', 'events.events.k8s.io', 'replicasets.apps', 'controllerrevisions.apps'],
  ...['endpointslices.discovery.k8s.io', 'certificaterequests.cert-manager.io'],
  ...['leases.coordination.k8s.io', 'persistentvolumeclaims'],
])

/** One program of each part, from the node's own to the platform's. */
const WHOLE = [
  ...['etcd', 'kube-apiserver', 'kubelet', 'containerd-shim', 'cert-manager', 'bin/operator'],
  ...['postgres:', 'bao\nserver', 'valkey-server', 'nginx:', 'gateway/main.ts'],
  ...['gateway/sealer/main.ts', 'operator/main.ts', 'prometheus', 'alertmanager'],
]

/** Names of all that lies in our namespaces. */
async function inventory(): Promise<ReadonlySet<string>> {
  const wish = ['--verbs=list', '--namespaced', '-o', 'name']
  const kinds = (await kubectl('api-resources', ...wish)).trim().split('\n')
  const wanted = kinds.filter((kind) => !DRAWN.has(kind)).join(',')
  const { items } = await kubectlJson<{
    items: { kind: string; metadata: { name: string; namespace: string } }[]
  }>('get', wanted, '-A')
  return new Set(
    items
      .filter(({ metadata }) => metadata.namespace.startsWith('palisade-'))
      .map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`),
  )
}

interface Labelled {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly data: Readonly<Record<string, string>>
}

interface NamespaceItem {
  readonly metadata: { readonly name: string }
  readonly status: { readonly phase: string }
}

const namespaces = async () =>
  (await kubectlJson<{ items: NamespaceItem[] }>('get', 'namespaces')).items

/**
 * Fenced, CloudNativePG makes the Pod again and does not start PostgreSQL in it; the Pod that ran is killed without
 * a shutdown.
 */
async function killPostgres(): Promise<void> {
  const fence = `cnpg.io/fencedInstances=["*"]`
  await kubectl('annotate', '--overwrite', 'cluster', 'palisade-db', ...DATABASE, fence)
  await kubectl('delete', 'pod', 'palisade-db-1', ...DATABASE, '--force', '--grace-period=0')
  for (let refusals = 0; refusals < 5; await sleep(1_000)) {
    const answers = await psql('select 1').then(
      () => true,
      () => false,
    )
    refusals = answers ? 0 : refusals + 1
  }
}

/** As a rotation leaves it to an application, without one that could write it once more. */
const LEFT = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'left',
    namespace: 'left-behind',
    labels: { 'palisade.dev/rotation': 'left' },
    annotations: { 'palisade.dev/seq': '7' },
  },
  data: { username: Buffer.from('left_a').toString('base64') },
}

async function leaveSecret(): Promise<void> {
  const { namespace: name } = LEFT.metadata
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
  await apply(JSON.stringify(LEFT))
}

const isInShop = () =>
  kubectl('get', 'srot', 'orders-db', '-n', 'shop', '--ignore-not-found', '-o', 'name')

const resourcesOf = async () => (await readCheckpoint(localStack())).latest?.resources ?? []

let before: ReadonlySet<string>
let recorded: number
let live: string[]
beforeAll(async () => {
  before = await inventory()
  recorded = (await resourcesOf()).length
  await leaveSecret()
  live = ['palisade-system/gateway-db', 'palisade-system/sealer-db']
  if ((await isInShop()) !== '') live.push('shop/orders-db')
  for (const one of live) {
    const [namespace = '', name = ''] = one.split('/')
    expect((await rotation(namespace, name)).metadata.finalizers).toContain('palisade.dev/release')
  }
  // One of them may not let go by itself while its backend may come back.
  const revoke = JSON.stringify({ spec: { deletionPolicy: 'Revoke' } })
  await kubectl('patch', 'srot', 'sealer-db', '-n', SYSTEM, '--type=merge', '-p', revoke)
})
afterAll(async () => {
  if (!existsSync(kubeconfigPath())) return // the platform is gone, and all that is here with it
  // Its application would wait for a credential of the platform that is gone.
  const namespaces = ['shop', LEFT.metadata.namespace]
  await kubectl('delete', 'namespace', ...namespaces, '--ignore-not-found', '--wait=false')
})

describe('make destroy with live rotations and a dead PostgreSQL', () => {
  let first: CommandRun
  beforeAll(async () => {
    await killPostgres()
    first = await runCommand('destroy')
    console.log(first.text)
  })

  it('ends by itself and names every credential that outlives its resource', () => {
    expect(first.code, first.text).toBe(0)
    expect(first.text).toContain(`0 released, ${live.length} orphaned`)
    for (const name of live) expect(first.text).toContain(`orphaned: ${name}: Released without`)
    expect(first.text).not.toContain('let go without its operator')
  })

  it('leaves no namespace, definition, webhook or policy of ours, and nothing that is on its way out', async () => {
    const left = await namespaces()
    expect(left.filter(({ status }) => status.phase !== 'Active')).toEqual([])
    expect(left.filter(({ metadata }) => metadata.name.startsWith('palisade'))).toEqual([])
    const kinds = [
      ...['customresourcedefinitions', 'validatingadmissionpolicies', 'clusterroles'],
      ...['validatingadmissionpolicybindings', 'clusterrolebindings', 'clusterissuers'],
      ...['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    ]
    const names = (await kubectl('get', kinds.join(','), '-o', 'name')).split('\n')
    // `palisade:…` are the cluster's own, which stays.
    expect(names.filter((name) => /\/palisade-|palisade\.dev/.test(name))).toEqual([])
    expect(await resourcesOf()).toEqual([])
  })

  it('leaves the Secrets of applications, for a new platform to take over', async () => {
    const labelled = ['get', 'secrets', '-A', '-l', 'palisade.dev/rotation']
    const { items } = await kubectlJson<{
      items: Labelled[]
    }>(...labelled)
    const ofApplications = live.filter((name) => !name.startsWith(SYSTEM))
    expect(items.length).toBeGreaterThan(ofApplications.length)
    const { name, namespace } = LEFT.metadata
    const ours = items.filter(({ metadata }) => metadata.namespace === namespace)
    expect(ours).toMatchObject([{ metadata: { name }, data: LEFT.data }])
    for (const { metadata } of items) {
      expect(metadata.annotations ?? {}).not.toHaveProperty(['palisade.dev/seq'])
    }
  })

  it('changes nothing when it runs again', async () => {
    const again = await runCommand('destroy')
    expect(again.code, again.text).toBe(0)
    expect(again.text).toMatch(/rotations \(.*\): there were none/)
    expect(again.text).toMatch(/stack \(.*\): unchanged/)
  })
})

describe('make up that is killed again and again', () => {
  const chance = seeded('PALISADE_KILL_SEED')

  /** When this share of what the engine still had to record is there: no clock knows how fast a machine is. */
  const afterShare =
    (share: number): Moment =>
    async (over) => {
      const there = (await resourcesOf()).length
      const enough = there + share * (recorded - there)
      while ((await resourcesOf()).length < enough) await sleep(300, undefined, { signal: over })
    }

  it('is repaired by the next one, which makes nothing twice and leaves no lock', async () => {
    // While the operators come, while the stack begins, and while what needs it comes: from the database to the edge.
    const [early, begun, late] = [
      chance.between(1_000, 9_000),
      chance.between(8_000, 20_000),
      chance.between(0.3, 1),
    ]
    let kills = 0
    for (const [moment, when] of [
      [afterMs(early), `after ${early.toFixed(0)} ms`],
      [afterMs(begun), `after ${begun.toFixed(0)} ms`],
      [afterShare(late), `with ${(late * 100).toFixed(0)} % of the rest recorded`],
    ] as const) {
      const all = chance.between(0, 1) < 0.5
      const killed = await killCommand(['up'], moment, all)
      const where = killed.text.trim().split('\n').at(-1)
      console.log(`killed ${all ? 'with all it had started' : 'alone'} ${when}: ${where}`)
      // What a killed one left running may have finished it.
      if (killed.code === null) kills += 1
      else expect(killed.code, killed.text).toBe(0)
    }
    expect(kills).toBeGreaterThan(0)
    const up = await runCommand('up')
    console.log(up.text)
    expect(up.code, up.text).toBe(0)
    const edge = await edgeClient()
    expect((await edge.call('/.well-known/jwks.json')).status).toBe(200)
    await edge.close()

    const { latest } = await readCheckpoint(localStack())
    const urns = (latest?.resources ?? []).map(({ urn }) => urn)
    expect(urns.length).toBeGreaterThan(100)
    expect(new Set(urns).size).toBe(urns.length)
    expect(latest?.pending_operations ?? []).toEqual([])
    const after = await inventory()
    expect([...after].filter((name) => !before.has(name))).toEqual([])

    const locks = join(pulumiDir(localStack()), '.pulumi', 'locks')
    const files = existsSync(locks) ? readdirSync(locks, { recursive: true, encoding: 'utf8' }) : []
    expect(files.filter((name) => name.endsWith('.json'))).toEqual([])
    expect(existsSync(lockPath())).toBe(false)
  })
})

describe('make down of the whole platform', () => {
  let bare: MachineState

  /** All of it runs there, from the node's own parts to the platform's: an `up` does not wait for those that resume. */
  async function wholePlatform(): Promise<RunningPlatform> {
    const missing = async () => {
      const cmdline = shown((await runningPlatform()).processes, 'cmdline')
      return WHOLE.filter((program) => !cmdline.includes(program))
    }
    await expect.poll(missing, { timeout: 120_000, interval: 1_000 }).toEqual([])
    return runningPlatform()
  }

  /** @returns what the node's own log says of its end */
  async function down(...options: string[]): Promise<string> {
    const whole = await wholePlatform()
    const log = await open(join(logDir(), 'node.log'))
    const logged = (await log.stat()).size
    const run = await runCommand('down', ...options)
    console.log(run.text)
    expect(run.code, run.text).toBe(0)
    expect(mountsBeneath(await readMounts(), stateDir())).toEqual([])
    expect(stillRunning(whole.processes)).toEqual([])
    expect(stillHeld(whole.namespaces)).toEqual([])
    for (const port of Object.values(HOST_PORTS)) expect(await isListening(port)).toBe(false)
    const after = await machineState()
    expect(after).toEqual(whole.without)
    expect(tracesOf(after)).toEqual([])
    // Its folder may be gone; the file is still open here.
    return text(log.createReadStream({ start: logged }))
  }

  it('leaves nothing but the state behind when that is to be kept', async () => {
    const said = await down('--keep')
    bare = await machineState()
    expect(said).not.toMatch(/killed after/)
    expect(existsSync(pulumiDir(localStack()))).toBe(true)
  })

  it('is taken up by the next `make up` as it was', async () => {
    const up = await runCommand('up')
    console.log(up.text)
    expect(up.code, up.text).toBe(0)
    expect(up.text).toMatch(/stack \(.*\): unchanged/)
  })

  it('leaves no process, namespace, cgroup, listener, mount, link, address, rule, set, loop device, file or setting behind', async () => {
    const said = await down()
    expect(said).not.toMatch(/killed after/)
    expect(existsSync(stateDir())).toBe(false)
    // As it was before the platform came up the last time, by whatever name a trace may go.
    expect(await machineState()).toEqual(bare)
  })
})
