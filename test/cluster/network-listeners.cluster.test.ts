import { beforeAll, describe, expect, it } from 'vitest'
import { kubectlJson } from '../support/cluster.ts'
import { exchange, listenersOf, speaks, type Listener } from '../support/listeners.ts'
import { pidsOf } from '../support/reach.ts'

const OURS = /^palisade-/

/** Without TLS from the first byte, and why that is right. Each must exist, or its line here is a lie. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'edge:8080': 'redirects to TLS and does nothing else: test/cluster/edge.cluster.test.ts',
  'edge:8443': 'TLS behind the line of the PROXY protocol: test/cluster/edge.cluster.test.ts',
  'edge:8081': 'probes of the kubelet and nothing else: below',
  'operator:8081': 'probes of the kubelet and nothing else: below',
  'palisade-db:5432': 'TLS on request, as the protocol has it, and nothing without: below',
}

interface PodItem {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: { readonly hostNetwork?: boolean }
  readonly status: { readonly phase: string; readonly podIP?: string }
}

/** What a Pod is a part of, without what chance and order put behind its name. */
const partOf = ({ metadata: { labels = {}, name } }: PodItem): string =>
  labels['cnpg.io/cluster'] ?? labels['app.kubernetes.io/name'] ?? name

interface NodeItem {
  readonly status: { readonly addresses: readonly { type: string; address: string }[] }
}

const found = new Map<string, Listener>()
beforeAll(async () => {
  const nodes = await kubectlJson<{ items: NodeItem[] }>('get', 'nodes')
  const internal = nodes.items[0]?.status.addresses.find(({ type }) => type === 'InternalIP')
  for (const port of await listenersOf(1))
    found.set(`node:${port}`, { host: internal?.address ?? '', port })
  const { items } = await kubectlJson<{ items: PodItem[] }>('get', 'pods', '-A')
  const pods = items.filter(
    ({ metadata, status, spec }) =>
      OURS.test(metadata.namespace) && status.phase === 'Running' && spec.hostNetwork !== true,
  )
  const pids = await pidsOf(pods.map(({ metadata }) => metadata.uid))
  for (const pod of pods) {
    const pid = pids.get(pod.metadata.uid)
    if (pid === undefined) throw new Error(`no process of ${pod.metadata.name}`)
    for (const port of await listenersOf(pid)) {
      const host = pod.status.podIP ?? ''
      found.set(`${partOf(pod)}:${port}`, { host, port })
    }
  }
})

describe('what listens in our namespaces and on the node', () => {
  it('is there: every part of the platform has a port of its own', () => {
    const parts = new Set([...found.keys()].map((name) => name.split(':')[0]))
    for (const part of ['node', 'edge', 'gateway', 'operator', 'sealer', 'palisade-db', 'openbao'])
      expect([...parts]).toContain(part)
  })

  it('speaks TLS from the first byte, apart from what is named with its reason', async () => {
    const names = [...found.keys()].filter((name) => !(name in OTHERWISE))
    const spoken = await speaks(names.map((name) => found.get(name) as Listener))
    const plain = names.filter((_, index) => !/^TLS(v1\.[23]| alert)$/.test(spoken[index] ?? ''))
    expect(plain.map((name) => `${name}: ${spoken[names.indexOf(name)]}`)).toEqual([])
  })

  it('is all that is named as an exception', () => {
    expect(Object.keys(OTHERWISE).filter((name) => !found.has(name))).toEqual([])
  })
})

const at = (name: string): Listener => {
  const listener = found.get(name)
  if (listener === undefined) throw new Error(`nobody listens at ${name}`)
  return listener
}

describe.each(['edge:8081', 'operator:8081'])('the probes at %s', (name) => {
  it.each(['/', '/metrics', '/api/secrets'])('answer 404 to %s', async (path) => {
    const request = `GET ${path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n`
    expect(await exchange(at(name), Buffer.from(request))).toMatch(/^HTTP\/1\.1 404 /)
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
    expect(await exchange(at('palisade-db:5432'), message(SSL_REQUEST, ''))).toBe('S')
  })

  it.each(['palisade_app_a', 'palisade_operator', 'postgres'])(
    'turns %s away who does not, before it asks for a password',
    async (user) => {
      const parameters = `user\0${user}\0database\0palisade\0\0`
      const answer = await exchange(at('palisade-db:5432'), message(VERSION, parameters))
      expect(answer).toMatch(/^E/)
      expect(answer).toContain('C28000')
    },
  )
})
