import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { initialisation } from '../../infra/openbao/config.ts'
import { accessTo } from '../../infra/openbao/policies.ts'
import { toolPath } from '../../local/tools/path.ts'
import { freePorts, inTime, startChild, until } from './child.ts'

/** A real OpenBao over TLS, with the mounts, policies and roles that the platform makes on its first start. */
export interface TestOpenBao {
  readonly address: string
  readonly ca: string
  /** Why it refused requests for this path, in its own words. */
  refused(path: string): Promise<readonly string[]>
  /** As root, which in a real installation ends with the first start. */
  ask(method: string, path: string, body?: unknown): Promise<BaoAnswer>
  /** What `palisade enable <namespace>` writes. */
  enable(namespace: string): Promise<void>
  /** Lets it recognise the accounts of a cluster. */
  trust(cluster: ClusterTrust): Promise<void>
  seal(): Promise<void>
  unseal(): Promise<void>
  stop(): Promise<void>
}

export interface BaoAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface ClusterTrust {
  readonly url: string
  readonly ca: string
  /** Token of an account that may review tokens. */
  readonly reviewer: string
}

export async function startOpenBao(): Promise<TestOpenBao> {
  const dir = await mkdtemp(join(tmpdir(), 'palisade-openbao-'))
  const root = randomBytes(16).toString('hex')
  const [port = 0] = await freePorts(1)
  const requestLog = join(dir, 'requests.log')
  await writeFile(join(dir, 'audit.json'), auditConfig(requestLog))
  const child = startChild(
    await toolPath('bao'),
    [
      'server',
      '-dev-tls',
      `-dev-tls-cert-dir=${dir}`,
      `-dev-root-token-id=${root}`,
      `-dev-listen-address=127.0.0.1:${port}`,
      '-dev-no-store-token',
      `-config=${join(dir, 'audit.json')}`,
    ],
    join(dir, 'server.log'),
  )
  const address = `https://127.0.0.1:${port}`
  let agent: Agent | undefined
  let ca = ''

  async function ask(method: string, path: string, body?: unknown): Promise<BaoAnswer> {
    const answer = await request(`${address}/v1/${path}`, {
      method: method as 'GET',
      ...(agent ? { dispatcher: agent } : {}),
      signal: inTime(),
      headers: { 'x-vault-token': root, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await answer.body.text()
    const parsed = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
    return { status: answer.statusCode, body: parsed }
  }

  async function insist(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await ask(method, path, body)
    if (answer.status < 300) return
    throw new Error(`OpenBao answered ${answer.status} to ${path}: ${JSON.stringify(answer.body)}`)
  }

  await until('readiness of OpenBao', 30_000, async () => {
    await child.assertRunning()
    ca = await readFile(join(dir, 'bao-ca.pem'), 'utf8')
      .catch(() => readFile(join(dir, 'vault-ca.pem'), 'utf8'))
      .catch(() => '')
    if (ca === '') return false
    agent ??= new Agent({ connect: { ca } })
    const health = await ask('GET', 'sys/health').catch(() => undefined)
    return health?.status === 200
  })
  const requests = initialisation()
    .flatMap((section) => Object.values(section))
    .flatMap(({ request }) => request.flatMap((each) => Object.values(each)))
  for (const { path, data } of requests) {
    // Inside a Pod the server reads its own account's files; here `trust` says the same.
    if (path !== 'auth/kubernetes/config') await insistSoon(insist, path, data)
  }

  // What a store says is a keyed digest like any value, unless it is named.
  for (const mount of ['apps', 'palisade-state']) {
    await insist('POST', `sys/mounts/${mount}/tune`, { audit_non_hmac_response_keys: ['error'] })
  }

  return {
    address,
    ca,
    async refused(path) {
      // The last one may be half written.
      const lines = (await readFile(requestLog, 'utf8')).split('\n').slice(0, -1)
      return lines
        .filter((line) => line.includes(`"path":"${path}"`))
        .map((line) => JSON.parse(line) as LoggedRequest)
        .flatMap(({ type, error, response }) =>
          type === 'response' && error ? [`${error.trim()}: ${response?.data?.error}`] : [],
        )
    },
    ask,
    async enable(namespace) {
      const { policy, role } = accessTo(namespace)
      await insist('POST', policy.path, policy.body)
      await insist('POST', role.path, role.body)
    },
    trust: (cluster) =>
      insist('POST', 'auth/kubernetes/config', {
        kubernetes_host: cluster.url,
        kubernetes_ca_cert: cluster.ca,
        token_reviewer_jwt: cluster.reviewer,
        disable_local_ca_jwt: true,
      }),
    seal: () => insist('POST', 'sys/seal'),
    async unseal() {
      const log = await readFile(join(dir, 'server.log'), 'utf8')
      await insist('POST', 'sys/unseal', { key: /Unseal Key: (\S+)/.exec(log)?.[1] })
      await until('OpenBao to be active again', 30_000, async () => {
        return (await ask('GET', 'sys/health')).status === 200
      })
    },
    async stop() {
      await child.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

interface LoggedRequest {
  readonly type: 'request' | 'response'
  readonly error?: string
  readonly response?: { readonly data?: { readonly error?: string } }
}

/** The same device as on the platform, into a file. */
const auditConfig = (path: string): string =>
  JSON.stringify({
    audit: [{ file: { requests: { description: 'Every request', options: { file_path: path } } } }],
  })

/** A new KV mount upgrades itself for a moment and refuses its configuration meanwhile. */
async function insistSoon(
  insist: (method: string, path: string, body?: unknown) => Promise<void>,
  path: string,
  data: unknown,
): Promise<void> {
  for (const end = Date.now() + 30_000; ;) {
    try {
      await insist('POST', path, data)
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
