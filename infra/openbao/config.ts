import { HOSTS, NAMESPACES, OPENBAO_AUDIENCE, PORTS } from '../names.ts'
import { nodeAddress, nodeAddresses, nodeHost, POD } from './nodes.ts'
import { accessTo, DATABASE_POLICY, PLATFORM_POLICIES, platformPolicy } from './policies.ts'
import { sealStanza, type SealWish } from './seal.ts'

const TLS = '/etc/palisade/tls'

type Data = Readonly<Record<string, unknown>>
type Request = Record<
  string,
  { operation: 'update'; path: string; data: Data; allow_failure?: boolean }
>

const request = (name: string, path: string, data: Data, mayFail = false): Request => ({
  [name]: { operation: 'update', path, data, ...(mayFail ? { allow_failure: true } : {}) },
})

const STORES = [
  // Two versions: the published one and the one it replaced, which is destroyed at retirement.
  { path: 'apps', limits: { max_versions: 2 } },
  // One: an earlier record may hold a value that was pending then and is in use or retired by now.
  { path: 'palisade-state', limits: { max_versions: 1 } },
  { path: 'platform', limits: {} },
] as const

/**
 * A fresh store prepares itself beside us and refuses its configuration for some milliseconds, while one
 * refused request would end the initialisation for good. So the stores come first, their configuration
 * comes last, and all but the last attempt may fail.
 */
const ATTEMPTS = 40

/** No write without the number of the version it replaces. */
const storeLimits = (): Request[] =>
  Array.from({ length: ATTEMPTS }, (_, attempt) =>
    STORES.map(({ path, limits }) =>
      request(
        `${path}-cas-${attempt + 1}`,
        `${path}/config`,
        { cas_required: true, ...limits },
        attempt + 1 < ATTEMPTS,
      ),
    ),
  ).flat()

interface RoleWish {
  readonly role: string
  readonly account: string
  readonly policy: string
}
const role = ({ role: name, account, policy }: RoleWish): Request =>
  request(name, `auth/kubernetes/role/${name}`, {
    bound_service_account_names: [account],
    bound_service_account_namespaces: [NAMESPACES.system],
    audience: OPENBAO_AUDIENCE,
    token_policies: [policy],
    // The default one lets a token look up, renew and wrap what nobody here needs.
    token_no_default_policy: true,
    token_ttl: '20m',
    token_max_ttl: '1h',
  })

/** The platform rotates credentials of its own, so its namespace is open from the start. */
const OWN_NAMESPACE = accessTo(NAMESPACES.system)

const ROLES: readonly RoleWish[] = [
  { role: 'palisade-operator', account: 'operator', policy: 'palisade-operator' },
  { role: 'palisade-gateway', account: 'gateway', policy: 'palisade-gateway' },
  { role: 'palisade-sealer', account: 'sealer', policy: 'palisade-sealer' },
  { role: 'palisade-onboarder', account: 'onboarder', policy: 'palisade-onboarder' },
]

/** For the Job that prepares an existing database. */
const DATABASE_ROLE: RoleWish = {
  role: DATABASE_POLICY,
  account: 'database',
  policy: DATABASE_POLICY,
}

export interface InitialisationWish {
  /** Somebody else's database: a Job keeps the operator's login to it in the store. */
  readonly existingDatabase?: boolean
}

/** Runs once, on the first start; the root token it uses is revoked and shown to nobody. */
export const initialisation = ({ existingDatabase = false }: InitialisationWish = {}) => [
  {
    mounts: {
      request: [
        ...STORES.map(({ path }) =>
          request(path, `sys/mounts/${path}`, { type: 'kv', options: { version: '2' } }),
        ),
        request('transit', 'sys/mounts/transit', { type: 'transit' }),
        request('checkpoint-key', 'transit/keys/audit-checkpoint', {
          type: 'ed25519',
          exportable: false,
          allow_plaintext_backup: false,
        }),
      ],
    },
  },
  {
    policies: {
      request: [
        ...[...PLATFORM_POLICIES, ...(existingDatabase ? ([DATABASE_POLICY] as const) : [])].map(
          (name) => request(name, `sys/policies/acl/${name}`, { policy: platformPolicy(name) }),
        ),
        request(OWN_NAMESPACE.name, OWN_NAMESPACE.policy.path, OWN_NAMESPACE.policy.body),
      ],
    },
  },
  {
    accounts: {
      request: [
        request('kubernetes', 'sys/auth/kubernetes', { type: 'kubernetes' }),
        request('reviewer', 'auth/kubernetes/config', {
          kubernetes_host: 'https://kubernetes.default.svc',
        }),
        ...[...ROLES, ...(existingDatabase ? [DATABASE_ROLE] : [])].map(role),
        request(OWN_NAMESPACE.name, OWN_NAMESPACE.role.path, OWN_NAMESPACE.role.body),
      ],
    },
  },
  { limits: { request: storeLimits() } },
]

export interface OpenBaoConfigWish extends InitialisationWish, SealWish {
  readonly replicas: number
}

/** One node elects itself; the default waits for others up to ten seconds. */
const ALONE = {
  api_addr: `https://${HOSTS.openbao}:${PORTS.openbao}`,
  cluster_addr: `https://${HOSTS.openbao}:${PORTS.openbaoCluster}`,
  storage: { raft: { path: '/data', node_id: 'openbao-0', performance_multiplier: '1' } },
} as const

/** Several nodes know each other by name, and each is asked under its own. */
const together = (replicas: number) => ({
  api_addr: nodeAddress(POD),
  cluster_addr: `https://${nodeHost(POD)}:${PORTS.openbaoCluster}`,
  storage: {
    raft: {
      path: '/data',
      node_id: POD,
      retry_join: nodeAddresses(replicas).map((address) => ({
        leader_api_addr: address,
        leader_ca_cert_file: `${TLS}/ca.crt`,
      })),
    },
  },
})

/** The whole server as one document; it names files and holds no secret. */
export const openbaoConfig = (wish: OpenBaoConfigWish) => ({
  ...joiningConfig(wish),
  initialize: initialisation(wish),
})

/**
 * Without the part that makes a new store. A node that has both that part and others to join makes a store of its own
 * beside theirs, so of several nodes one starts with it, once.
 */
export const joiningConfig = (wish: OpenBaoConfigWish) => {
  const { api_addr, cluster_addr, storage } = wish.replicas === 1 ? ALONE : together(wish.replicas)
  return {
    ui: false,
    log_format: 'json',
    log_level: 'warn',
    api_addr,
    cluster_addr,
    listener: [
      {
        tcp: {
          address: `[::]:${PORTS.openbao}`,
          cluster_address: `[::]:${PORTS.openbaoCluster}`,
          tls_cert_file: `${TLS}/tls.crt`,
          tls_key_file: `${TLS}/tls.key`,
          tls_min_version: 'tls12',
          max_request_size: 1_048_576,
        },
      },
    ],
    storage,
    seal: [sealStanza(wish)],
    // Values are written as keyed digests; without a working device the server refuses requests.
    audit: [
      {
        file: {
          stdout: {
            description: 'Every request, values as keyed digests',
            options: { file_path: 'stdout', log_raw: 'false' },
          },
        },
      },
    ],
  }
}

const text = (config: object): string => `${JSON.stringify(config, null, 2)}\n`

/** The files of the ConfigMap: one for a node alone, two to choose from for several. */
export const configMapData = (wish: OpenBaoConfigWish): Readonly<Record<string, string>> =>
  wish.replicas === 1
    ? { 'config.json': text(openbaoConfig(wish)) }
    : { 'first.json': text(openbaoConfig(wish)), 'join.json': text(joiningConfig(wish)) }
