import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { admissionPolicies } from '../../policies/admission/list.ts'
import { toolPath } from '../../local/tools/path.ts'
import { ApiRequests, type KubeObject } from './api-requests.ts'
import { type Child, freePorts, startChild, until } from './child.ts'

const CRDS = join(import.meta.dirname, '../../charts/palisade/crds')
const CRD_FILES = ['secretrotations', 'mcpgrants', 'rotationbackends'].map(
  (plural) => `palisade.dev_${plural}.yaml`,
)

/** A real API server on a port of its own: TLS, RBAC, Pod Security and admission policies are on. */
export interface TestApiServer extends ApiRequests {
  readonly url: string
  readonly ca: string
  /** Kubeconfig of a cluster administrator. */
  readonly kubeconfig: string
  readonly kubeconfigPath: string
  /** A token of a ServiceAccount, which is made when it is not there. */
  token(namespace: string, serviceAccount: string): Promise<string>
  kubectl(...args: readonly string[]): Promise<string>
  /** Why it refused patches of the operator to the object at this path, in its own words. */
  refused(path: string): Promise<readonly string[]>
  /** Our resource definitions, established and served. */
  installCrds(): Promise<void>
  /** The fence around the operator's account, once it is enforced. */
  installAdmissionPolicies(account: string): Promise<void>
  /** A new namespace with its default ServiceAccount (no controller makes it here). */
  namespace(name: string, labels?: Readonly<Record<string, string>>): Promise<string>
  stop(): Promise<void>
}

/** A quarter of what its start costs is collections of a heap that only grows. */
const FEWER_COLLECTIONS = { GOGC: '400' }

/** Of a kubectl, whatever it waits for. */
const LIMIT = { timeout: 60_000 }

export async function startApiServer(): Promise<TestApiServer> {
  const [etcd, apiserver, kubectl] = await Promise.all(
    ['etcd', 'kube-apiserver', 'kubectl'].map(toolPath),
  )
  const dir = await mkdtemp(join(tmpdir(), 'palisade-apiserver-'))
  const [client = 0, peer = 0, port = 0] = await freePorts(3)
  const children: Child[] = []
  const stop = async () => {
    for (const child of children.reverse()) await child.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const adminToken = await writeKeys(dir)
    await writeFile(join(dir, 'audit.json'), JSON.stringify(AUDIT_POLICY))
    children.push(startChild(etcd ?? '', etcdArgs(dir, client, peer), join(dir, 'etcd.log')))
    const log = join(dir, 'apiserver.log')
    children.push(
      startChild(apiserver ?? '', apiServerArgs(dir, client, port), log, FEWER_COLLECTIONS),
    )
    const url = `https://127.0.0.1:${port}`
    const ca = await certificateAuthority(dir, children)
    const requests = new ApiRequests(url, ca, adminToken)
    await until('readiness of the API server', 60_000, async () => {
      for (const child of children) await child.assertRunning()
      // The RBAC bootstrap is part of /readyz, so a subject's first request is judged by complete rules.
      return (await requests.get('/readyz').catch(() => undefined))?.status === 200
    })
    const kubeconfig = kubeconfigText(url, ca, adminToken)
    const kubeconfigPath = join(dir, 'kubeconfig')
    await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 })
    const run = promisify(execFile)
    return Object.assign(requests, {
      url,
      ca,
      kubeconfig,
      kubeconfigPath,
      token: (namespace: string, name: string) => serviceAccountToken(requests, namespace, name),
      kubectl: async (...args: readonly string[]) =>
        (await run(kubectl ?? '', [`--kubeconfig=${kubeconfigPath}`, ...args], LIMIT)).stdout,
      refused: (path: string) => refusalsIn(join(dir, 'audit.log'), path),
      installCrds: () => installCrds(requests),
      installAdmissionPolicies: (account: string) => installAdmissionPolicies(requests, account),
      namespace: (name: string, labels: Readonly<Record<string, string>> = {}) =>
        makeNamespace(requests, name, labels),
      stop,
    })
  } catch (error) {
    await stop()
    throw error
  }
}

async function writeKeys(dir: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // The API server reads EC keys only in their traditional form.
  const key = privateKey.export({ type: 'sec1', format: 'pem' })
  const adminToken = randomBytes(24).toString('hex')
  await writeFile(join(dir, 'service-account.key'), key, { mode: 0o600 })
  await writeFile(join(dir, 'tokens.csv'), `${adminToken},admin,admin,"system:masters"\n`, {
    mode: 0o600,
  })
  return adminToken
}

const etcdArgs = (dir: string, client: number, peer: number) => [
  `--data-dir=${join(dir, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${client}`,
  `--advertise-client-urls=http://127.0.0.1:${client}`,
  `--listen-peer-urls=http://127.0.0.1:${peer}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
  `--initial-cluster=default=http://127.0.0.1:${peer}`,
  // The data are thrown away; waiting for the disk would only slow tests down.
  '--unsafe-no-fsync',
  '--log-level=warn',
]

const apiServerArgs = (dir: string, etcd: number, port: number) => [
  `--etcd-servers=http://127.0.0.1:${etcd}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  `--cert-dir=${join(dir, 'certificates')}`,
  `--audit-policy-file=${join(dir, 'audit.json')}`,
  `--audit-log-path=${join(dir, 'audit.log')}`,
  `--token-auth-file=${join(dir, 'tokens.csv')}`,
  '--authorization-mode=Node,RBAC',
  '--anonymous-auth=false',
  '--enable-admission-plugins=NodeRestriction',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${join(dir, 'service-account.key')}`,
  `--service-account-signing-key-file=${join(dir, 'service-account.key')}`,
  '--service-cluster-ip-range=10.96.0.0/16',
  '--profiling=false',
]

/** What fences refuse, and nothing else: a test of anything else needs no log. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      verbs: ['patch'],
      resources: [
        { group: '', resources: ['secrets'] },
        { group: 'apps', resources: ['deployments'] },
      ],
    },
    { level: 'None' },
  ],
}

interface AuditEvent {
  readonly requestURI: string
  readonly responseStatus?: { readonly code: number; readonly message?: string }
}

async function refusalsIn(log: string, path: string): Promise<readonly string[]> {
  // The last one may be half written.
  const lines = (await readFile(log, 'utf8')).split('\n').slice(0, -1)
  return lines
    .filter((line) => line.includes(path))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ requestURI }) => requestURI.split('?')[0] === path)
    .flatMap(({ responseStatus: { code = 0, message = '' } = {} }) =>
      code < 300 ? [] : [`${code} ${message}`],
    )
}

/** The server makes its own certificate; the second one of the file is the authority that signed it. */
async function certificateAuthority(dir: string, children: readonly Child[]): Promise<string> {
  const path = join(dir, 'certificates', 'apiserver.crt')
  let authority = ''
  await until('a certificate of the API server', 60_000, async () => {
    for (const child of children) await child.assertRunning()
    const text = await readFile(path, 'utf8').catch(() => '')
    authority = text.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n/g)?.at(1) ?? ''
    return authority !== ''
  })
  return authority
}

const kubeconfigText = (url: string, ca: string, token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  })

async function serviceAccountToken(
  requests: ApiRequests,
  namespace: string,
  name: string,
): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  const metadata = { name, namespace }
  await requests.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, accounts)
  const answer = await requests.post(`${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  return (requests.expectOk(answer)['status'] as { token: string }).token
}

async function makeNamespace(
  requests: ApiRequests,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const metadata = { name, labels }
  await requests.apply({ apiVersion: 'v1', kind: 'Namespace', metadata }, '/api/v1/namespaces')
  await requests.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
    `/api/v1/namespaces/${name}/serviceaccounts`,
  )
  return name
}

async function installCrds(requests: ApiRequests): Promise<void> {
  const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const file of CRD_FILES) await requests.applyFile(join(CRDS, file), collection)
  await until('serving of our resources', 30_000, async () => {
    const answer = await requests.get('/apis/palisade.dev/v1alpha1')
    const resources = (answer.body['resources'] ?? []) as readonly { name: string }[]
    const served = resources.filter(({ name }) => !name.includes('/')).length
    if (served < CRD_FILES.length) return false
    const lists = await Promise.all(
      resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name }) => requests.get(`/apis/palisade.dev/v1alpha1/${name}`)),
    )
    return lists.every(({ status }) => status === 200)
  })
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'

async function installAdmissionPolicies(requests: ApiRequests, account: string): Promise<void> {
  for (const object of admissionPolicies(account)) {
    const plural = object.kind === 'ValidatingAdmissionPolicy' ? 'policies' : 'policybindings'
    await requests.apply(object as KubeObject, `${ADMISSION}/validatingadmission${plural}`)
  }
  // Policies reach the admission chain through a watch, a moment after they are stored. The probes ask for what
  // a cluster administrator in the role of the account may do and the policies refuse.
  const who = { user: account, groups: ['system:masters'] }
  const probes = [
    ['/api/v1/namespaces/default/secrets', { apiVersion: 'v1', kind: 'Secret' }],
    ['/apis/apps/v1/namespaces/default/deployments', probeDeployment],
  ] as const
  await until('enforcement of the admission policies', 30_000, async () => {
    const answers = await Promise.all(
      probes.map(([collection, object]) =>
        requests.post(`${collection}?dryRun=All`, { ...object, metadata: { name: 'probe' } }, who),
      ),
    )
    return answers.every(({ status }) => status === 403)
  })
}

const probeDeployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  spec: {
    selector: { matchLabels: { app: 'probe' } },
    template: {
      metadata: { labels: { app: 'probe' } },
      spec: { containers: [{ name: 'probe', image: 'probe' }] },
    },
  },
}

export type { KubeObject }
