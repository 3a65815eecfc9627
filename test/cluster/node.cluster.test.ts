import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { referencesPath } from '../../local/images/ensure.ts'
import { stateDir } from '../../local/paths.ts'
import { apply, kubectl, kubectlJson, onNode } from '../support/cluster.ts'

const NAMESPACE = 'node-test'
const images = JSON.parse(readFileSync(referencesPath(stateDir()), 'utf8')) as { control: string }

const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const pod = (
  name: string,
  script: string,
  volumes: object[] = [],
  mounts: object[] = [],
): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    restartPolicy: 'Never',
    securityContext: { fsGroup: 10001 },
    volumes,
    containers: [
      {
        name: 'main',
        image: images.control,
        command: ['node', '-e', script],
        securityContext: restricted,
        volumeMounts: mounts,
      },
    ],
  },
})

const SERVER = `require('http').createServer((_, r) => r.end('hello')).listen(8000)`
const IDLE = 'setInterval(() => {}, 1e6)'

const policy = (name: string, spec: object): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: NAMESPACE },
  spec,
})

const applyAll = (...items: object[]): Promise<string> =>
  apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))

/** What a pod sees when it asks another address: the answer, or the kind of failure. */
async function ask(from: string, host: string): Promise<string> {
  const script = `fetch('http://${host}:8000', { signal: AbortSignal.timeout(2500) })
    .then(r => r.text()).then(console.log, e => console.log(e.name, e.cause?.code ?? ''))`
  const command = ['exec', '-n', NAMESPACE, from, '--', 'node', '-e', script]
  return (await kubectl(...command)).trim()
}

/** A policy takes effect a moment after it was accepted, and on a busy machine an answer may come too late once. */
async function eventually(expected: RegExp, probe: () => Promise<string>): Promise<string> {
  let last = ''
  for (let attempt = 0; attempt < 10; attempt++) {
    last = await probe()
    if (expected.test(last)) return last
    await sleep(500)
  }
  return last
}

beforeAll(async () => {
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true')
  await applyAll(
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    pod('server', SERVER),
    pod('friend', IDLE),
    pod('stranger', IDLE),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server', namespace: NAMESPACE },
      spec: { selector: { app: 'server' }, ports: [{ port: 8000 }] },
    },
  )
  await kubectl('wait', '-n', NAMESPACE, '--for=condition=Ready', 'pod', '--all', '--timeout=120s')
})

afterAll(async () => {
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true')
})

describe('network of the node', () => {
  it('resolves the name of a Service and reaches its pod', async () => {
    expect(await eventually(/hello/, () => ask('friend', `server.${NAMESPACE}.svc`))).toBe('hello')
  })

  it('knows a Service at once that was asked for before it was there', async () => {
    const name = `late.${NAMESPACE}.svc`
    const unknown = /^TypeError E(NOTFOUND|AI_AGAIN)$/
    expect(await eventually(unknown, () => ask('friend', name))).toMatch(unknown)
    await applyAll({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'late', namespace: NAMESPACE },
      spec: { selector: { app: 'server' }, ports: [{ port: 8000 }] },
    })
    expect(await eventually(/hello/, () => ask('friend', name))).toBe('hello')
  })

  it('denies ingress to all but the pods that a policy names', async () => {
    await applyAll(
      policy('server-from-friend', {
        podSelector: { matchLabels: { app: 'server' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }],
      }),
    )
    expect(await eventually(/Error/, () => ask('stranger', 'server'))).toMatch(
      /^(Timeout|Abort|Type)Error/,
    )
    expect(await eventually(/hello/, () => ask('friend', 'server'))).toBe('hello')
  })

  it('denies egress of a pod whose policy allows only DNS', async () => {
    await applyAll(
      policy('friend-dns-only', {
        podSelector: { matchLabels: { app: 'friend' } },
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }],
      }),
    )
    expect(await eventually(/Error/, () => ask('friend', 'server'))).toMatch(
      /^(Timeout|Abort|Type)Error/,
    )
    await kubectl('delete', 'networkpolicy', '-n', NAMESPACE, 'friend-dns-only')
    expect(await eventually(/hello/, () => ask('friend', 'server'))).toBe('hello')
  })

  it('queues what policies must judge without a way around them', async () => {
    const rules = await onNode('iptables', '-t', 'mangle', '-S', 'POSTROUTING')
    expect(rules).toMatch(/--match-set palisade-pods src -j NFQUEUE --queue-num 100$/m)
    expect(rules).not.toContain('queue-bypass')
  })
})

describe('volumes', () => {
  it('are made for a claim when its pod is placed, kept over a restart, and removed with the claim', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: NAMESPACE },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } },
    }
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const mounts = [{ name: 'data', mountPath: '/data' }]
    const write = `require('fs').writeFileSync('/data/x', 'kept')`
    const read = `console.log(require('fs').readFileSync('/data/x', 'utf8'))`
    const done = (name: string): Promise<string> =>
      kubectl(
        'wait',
        '-n',
        NAMESPACE,
        '--for=jsonpath={.status.phase}=Succeeded',
        `pod/${name}`,
        '--timeout=60s',
      )

    await applyAll(claim, pod('writer', write, volumes, mounts))
    await done('writer')
    await applyAll(pod('reader', read, volumes, mounts))
    await done('reader')
    expect(await kubectl('logs', '-n', NAMESPACE, 'reader')).toBe('kept\n')

    const { spec } = await kubectlJson<{ spec: { volumeName: string; storageClassName: string } }>(
      ...['get', 'pvc', '-n', NAMESPACE, 'data'],
    )
    expect(spec.storageClassName).toBe('palisade-local')
    await kubectl('delete', 'pod', '-n', NAMESPACE, 'writer', 'reader')
    await kubectl('delete', 'pvc', '-n', NAMESPACE, 'data')
    await kubectl('wait', '--for=delete', `pv/${spec.volumeName}`, '--timeout=60s')
    const folder = `${stateDir()}/node/data/volumes/${spec.volumeName}`
    expect(await onNode('sh', '-c', `[ -e ${folder} ] && echo there || echo gone`)).toBe('gone\n')
  })
})

describe('the API server', () => {
  it('refuses whoever is anonymous', async () => {
    const ca = `${stateDir()}/node/pki/ca-cluster.crt`
    const url = 'https://127.0.0.1:6443/readyz'
    expect(
      await onNode('curl', '-s', '--cacert', ca, '-o', '/dev/null', '-w', '%{http_code}', url),
    ).toBe('401')
  })

  it('keeps Secrets encrypted in etcd', async () => {
    const value = 'plainly-visible-0815'
    await kubectl(
      'create',
      'secret',
      'generic',
      '-n',
      NAMESPACE,
      'probe',
      `--from-literal=v=${value}`,
    )
    // A new record is in the write-ahead log, which holds what etcd was given.
    const wal = `${stateDir()}/node/data/etcd/member/wal`
    const found = await onNode('sh', '-c', `grep -l -a -r ${value} ${wal} || echo none`)
    expect(found.trim()).toBe('none')
    const stored = await onNode('sh', '-c', `grep -c -a k8s:enc:secretbox ${wal}/*.wal | head -1`)
    expect(Number(stored.trim().split(':').at(-1))).toBeGreaterThan(0)
  })

  it('does not let the node read a Secret that no pod of its own uses', async () => {
    const as = ['--as=system:node:palisade', '--as-group=system:nodes']
    const answer = await kubectl(
      'auth',
      'can-i',
      'get',
      `secret/probe`,
      '-n',
      NAMESPACE,
      ...as,
    ).catch((error: { stdout?: string }) => error.stdout ?? '')
    expect(answer).toMatch(/^no - no relationship found/)
  })
})
