import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { operatorBindingManifest } from '#core/operator-binding'
import { OPENBAO_AUDIENCE } from '../../infra/names.ts'
import { toolPath } from '../../local/tools/path.ts'
import { accountName, admissionPolicies } from '../../policies/admission/list.ts'
import { startApiServer, type TestApiServer } from './apiserver.ts'
import { makeAuthority } from './certificates.ts'
import { startOpenBao, type TestOpenBao } from './openbao.ts'
import { serveTls, startPalisadeDatabase, withClient, type PalisadeDatabase } from './postgres.ts'

const run = promisify(execFile)
const CHART = join(import.meta.dirname, '../../charts/palisade')
const SYSTEM = 'palisade-system'
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
export const ROTATIONS = '/apis/palisade.dev/v1alpha1'

/** API server, secret store and database as in a cluster, each with its real rights; only the kubelet is missing. */
export interface RotationWorld {
  readonly api: TestApiServer
  readonly bao: TestOpenBao
  readonly db: PalisadeDatabase
  /** Everything the operator's own files would hold. */
  readonly files: {
    readonly kubeconfig: string
    readonly tlsDir: string
    readonly vaultToken: string
    /** A folder in which each process finds what it is armed with. */
    readonly failpoints: string
  }
  /** Opens a namespace for rotations: rights in the cluster and in the store. */
  enable(namespace: string): Promise<void>
  /** A pair of roles for a namespace, as the migrator enrols it. */
  enrol(namespace: string, pair: string): Promise<void>
  stop(): Promise<void>
}

export async function startRotationWorld(): Promise<RotationWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'palisade-rotation-'))
  // What needs no server is made while they start.
  const [api, bao, db, certificates, rights] = await Promise.all([
    startApiServer(),
    startOpenBao(),
    startPalisadeDatabase(),
    makeCertificates(join(dir, 'authority')),
    renderRights(),
  ])
  const stop = async () => {
    await Promise.allSettled([api.stop(), bao.stop(), db.stop()])
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const { ca, server, client } = certificates
    await serveTls(db, server)
    const tlsDir = join(dir, 'tls')
    await writeTls(tlsDir, bao.ca, client)
    await writeTls(join(tlsDir, 'postgres-client'), ca, client)
    const files = {
      tlsDir,
      kubeconfig: join(dir, 'kubeconfig'),
      vaultToken: join(dir, 'vault-token'),
      failpoints: join(dir, 'failpoints'),
    }
    await mkdir(files.failpoints)
    await Promise.all([api.installCrds(), restrictOperator(api, rights)])
    await bao.trust({ url: api.url, ca: api.ca, reviewer: await reviewerToken(api) })
    await writeFile(files.kubeconfig, await operatorKubeconfig(api), { mode: 0o600 })
    await writeFile(files.vaultToken, await vaultToken(api), { mode: 0o600 })
    await api.apply(backendFor(db), `${ROTATIONS}/rotationbackends`)
    return {
      api,
      bao,
      db,
      files,
      async enable(namespace) {
        await api.namespace(namespace, { 'palisade.dev/rotations': 'allowed' })
        const binding = operatorBindingManifest(namespace)
        await api.apply(binding, `${RBAC}/namespaces/${namespace}/rolebindings`)
        await bao.enable(namespace)
      },
      enrol: (namespace, pair) => enrolPair(db, namespace, pair),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const enrolPair = (db: PalisadeDatabase, namespace: string, pair: string): Promise<void> =>
  withClient(db.migrator, async (migrator) => {
    await migrator.query('set role palisade_fence')
    await migrator.query('select palisade_fence.enrol($1, $2, $3, $4, $5)', [
      `${pair}_a`,
      `${pair}_b`,
      pair,
      db.database,
      namespace,
    ])
  })

async function makeCertificates(dir: string) {
  const authority = await makeAuthority(dir)
  const server = await authority.issue('postgres')
  const client = await authority.issue('palisade_operator', ['DNS:operator'])
  return { ca: authority.ca, server, client }
}

async function writeTls(
  dir: string,
  ca: string,
  own: { cert: string; key: string },
): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'ca.crt'), ca)
  await writeFile(join(dir, 'tls.crt'), own.cert)
  await writeFile(join(dir, 'tls.key'), own.key, { mode: 0o600 })
}

/** The operator's own, as the chart writes them. */
async function renderRights(): Promise<string> {
  const { stdout } = await run(await toolPath('helm'), [
    'template',
    'palisade',
    CHART,
    '--namespace',
    SYSTEM,
    '--set',
    'image=test:1',
    '--set',
    'networkPolicies.enabled=false',
    '--show-only',
    'templates/operator/rbac.yaml',
  ])
  return stdout
}

/** Its rights, and the fence around its account. */
async function restrictOperator(api: TestApiServer, rights: string): Promise<void> {
  await api.namespace(SYSTEM)
  for (const document of parseAllDocuments(rights)) {
    const object = document.toJS() as {
      kind: string
      metadata: { name: string; namespace?: string }
    } | null
    if (!object || object.kind === 'ServiceAccount') continue
    const plural = `${object.kind.toLowerCase()}s`
    const within = object.metadata.namespace ? `/namespaces/${object.metadata.namespace}` : ''
    await api.apply(
      { apiVersion: 'rbac.authorization.k8s.io/v1', ...object },
      `${RBAC}${within}/${plural}`,
    )
  }
  for (const policy of admissionPolicies(accountName(SYSTEM, 'operator'))) {
    const binding = policy.kind?.endsWith('Binding') === true
    const plural = `validatingadmissionpolic${binding ? 'ybindings' : 'ies'}`
    await api.apply(policy as Parameters<TestApiServer['apply']>[0], `${ADMISSION}/${plural}`)
  }
}

async function reviewerToken(api: TestApiServer): Promise<string> {
  const token = await api.token(SYSTEM, 'openbao')
  const name = 'openbao-reviews-tokens'
  await api.apply(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      ...{
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:auth-delegator',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'openbao', namespace: SYSTEM }],
      },
    },
    `${RBAC}/clusterrolebindings`,
  )
  return token
}

async function operatorKubeconfig(api: TestApiServer): Promise<string> {
  const token = await api.token(SYSTEM, 'operator')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: api.url,
          'certificate-authority-data': Buffer.from(api.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'operator', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
  })
}

/** A token that the store accepts and the API server does not. */
async function vaultToken(api: TestApiServer): Promise<string> {
  const answer = await api.post(`/api/v1/namespaces/${SYSTEM}/serviceaccounts/operator/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 7200, audiences: [OPENBAO_AUDIENCE] },
  })
  return (api.expectOk(answer)['status'] as { token: string }).token
}

const backendFor = (db: PalisadeDatabase) => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind: 'RotationBackend',
  metadata: { name: 'main' },
  spec: {
    kind: 'Postgres',
    endpoint: { host: db.host, port: db.port, database: db.database },
    tls: { serverName: 'localhost' },
    credential: {
      clientCertificate: { user: 'palisade_operator', secretName: 'postgres-client' },
    },
    allowedNamespaces: { matchLabels: { 'palisade.dev/rotations': 'allowed' } },
    names: ['{namespace}_*'],
  },
})
