import { beforeAll, describe, expect, it } from 'vitest'
import { kubectlJson } from '../support/cluster.ts'
import { exchange, isLoopback, listenersOf, speaks } from '../support/listeners.ts'
import type { Listener, Socket } from '../support/listeners.ts'
import { pidsOf } from '../support/reach.ts'
import { ON_LOOPBACK, OTHERWISE, PROBES_OF_KUBELET } from './network/otherwise.ts'

/** Of the platform, and of what it stands on. */
const NAMESPACES = /^(palisade-.+|cert-manager|cnpg-system|prometheus-operator|kube-system)$/
/** The node's own network, by the process that is its first. */
const NODE = 1

interface PodItem {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: { readonly hostNetwork?: boolean }
  readonly status: { readonly phase: string; readonly podIP?: string }
}

/** What a Pod is a part of, without what chance and order put behind its name. */
const partOf = ({ metadata: { labels = {}, name, namespace } }: PodItem): string =>
  `${namespace}/${labels['cnpg.io/cluster'] ?? labels['app.kubernetes.io/name'] ?? labels['k8s-app'] ?? name}`

interface NodeItem {
  readonly status: { readonly addresses: readonly { type: string; address: string }[] }
}

interface Found extends Listener, Pick<Socket, 'address'> {}
const found = new Map<string, Found>()

const nameOf = (part: string, { port, protocol }: Socket): string =>
  `${part}:${port}${protocol === 'udp' ? '/udp' : ''}`

beforeAll(async () => {
  const [nodes, { items }] = await Promise.all([
    kubectlJson<{ items: NodeItem[] }>('get', 'nodes'),
    kubectlJson<{ items: PodItem[] }>('get', 'pods', '-A'),
  ])
  const internal = nodes.items[0]?.status.addresses.find(({ type }) => type === 'InternalIP')
  const pods = items.filter(
    ({ metadata, status, spec }) =>
      NAMESPACES.test(metadata.namespace) &&
      status.phase === 'Running' &&
      metadata.deletionTimestamp === undefined &&
      spec.hostNetwork !== true,
  )
  const pids = await pidsOf(pods.map(({ metadata }) => metadata.uid))
  const sockets = await listenersOf([NODE, ...pids.values()])
  for (const socket of sockets.get(NODE) ?? []) {
    const host = isLoopback(socket) ? '127.0.0.1' : (internal?.address ?? '')
    found.set(nameOf(`node/${socket.program}`, socket), { ...socket, host })
  }
  for (const pod of pods) {
    const pid = pids.get(pod.metadata.uid)
    if (pid === undefined) throw new Error(`no process of ${pod.metadata.name}`)
    for (const socket of sockets.get(pid) ?? []) {
      const at = isLoopback(socket) ? { host: '127.0.0.1', pid } : { host: pod.status.podIP ?? '' }
      found.set(nameOf(partOf(pod), socket), { ...socket, ...at })
    }
  }
})

/** By a name of the platform's own, so that an empty list does not pass for a clean one. */
const EACH = [
  ...['node/kube-apiserver', 'node/kubelet', 'node/etcd', 'palisade-edge/edge'],
  ...['palisade-system/gateway', 'palisade-system/operator', 'palisade-system/sealer'],
  ...['palisade-data/palisade-db', 'palisade-data/redis', 'palisade-vault/openbao'],
  ...['palisade-monitoring/prometheus', 'palisade-monitoring/alertmanager'],
  ...['cert-manager/webhook', 'cnpg-system/cloudnative-pg', 'kube-system/kube-dns'],
]

describe('what listens on the node and in the Pods, loopback included', () => {
  it.each(EACH)('is there: %s has a port of its own', (part) => {
    expect([...found.keys()].map((name) => name.split(':')[0])).toContain(part)
  })

  it('speaks TLS from the first byte, apart from what is named with its reason', async () => {
    const names = [...found.keys()].filter((name) => !OTHERWISE.has(name))
    const spoken = await speaks(names.map((name) => at(name)))
    const plain = names.filter((_, index) => !/^TLS(v1\.[23]| alert)$/.test(spoken[index] ?? ''))
    expect(plain.map((name) => `${name}: ${spoken[names.indexOf(name)]}`)).toEqual([])
  })

  it('is all that is named as an exception', () => {
    expect([...OTHERWISE].filter((name) => !found.has(name))).toEqual([])
  })

  it.each(Object.keys(ON_LOOPBACK))('is %s for nobody outside of its network', (name) => {
    expect(at(name)).toSatisfy(isLoopback)
  })
})

function at(name: string): Found {
  const listener = found.get(name)
  if (listener === undefined) throw new Error(`nobody listens at ${name}`)
  return listener
}

describe('the probes of the kubelet', () => {
  const ask = (path: string): Buffer =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n`)

  it.each(PROBES_OF_KUBELET)('find nothing else at %s: 404 to any other path', async (name) => {
    const answers = await exchange(at(name), ask('/'), ask('/metrics'), ask('/api/secrets'))
    expect(answers.map((answer) => answer.slice(0, 13))).toEqual(Array(3).fill('HTTP/1.1 404 '))
  })
})

describe('the database', () => {
  const message = (code: number, text: string): Buffer => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + text.length, 0)
    head.writeUInt32BE(code, 4)
    return Buffer.concat([head, Buffer.from(text)])
  }
  // SSLRequest and StartupMessage of the PostgreSQL protocol, 54.7.
  const [SSL_REQUEST, VERSION] = [80_877_103, 196_608]

  it('offers TLS to who asks for it', async () => {
    const database = at('palisade-data/palisade-db:5432')
    expect(await exchange(database, message(SSL_REQUEST, ''))).toEqual(['S'])
  })

  it.each(['palisade_app_a', 'palisade_operator', 'postgres'])(
    'turns %s away who does not, before it asks for a password',
    async (user) => {
      const parameters = `user\0${user}\0database\0palisade\0\0`
      const [answer] = await exchange(
        at('palisade-data/palisade-db:5432'),
        message(VERSION, parameters),
      )
      expect(answer).toMatch(/^E/)
      expect(answer).toContain('C28000')
    },
  )
})
