import { DATABASE, NAMESPACES, OPERATOR_NAMESPACES, PORTS } from '../names.ts'

/** Pods of one namespace by their label. */
export interface Peer {
  readonly namespace: string
  /** Absent: every pod of the namespace. */
  readonly pods?: Readonly<Record<string, string>>
}
export interface Connection {
  readonly name: string
  readonly why: string
  readonly from: Peer
  readonly to: Peer
  readonly ports: readonly number[]
}

const app = (namespace: string, name: string): Peer => ({
  namespace,
  pods: { 'app.kubernetes.io/name': name },
})
export const PEERS = {
  gateway: app(NAMESPACES.system, 'gateway'),
  sealer: app(NAMESPACES.system, 'sealer'),
  operator: app(NAMESPACES.system, 'operator'),
  migrator: app(NAMESPACES.system, 'migrate'),
  onboarder: app(NAMESPACES.system, 'onboard'),
  databaseJob: app(NAMESPACES.system, 'database'),
  edge: app(NAMESPACES.edge, 'edge'),
  redis: app(NAMESPACES.data, 'redis'),
  openbao: app(NAMESPACES.vault, 'openbao'),
  database: { namespace: NAMESPACES.data, pods: { 'cnpg.io/cluster': DATABASE.cluster } },
  databaseOperator: { namespace: OPERATOR_NAMESPACES.postgres },
  certManager: {
    namespace: OPERATOR_NAMESPACES.certManager,
    pods: { app: 'cert-manager' },
  },
  monitoringOperator: { namespace: OPERATOR_NAMESPACES.prometheus },
  prometheus: app(NAMESPACES.monitoring, 'prometheus'),
  alertmanager: app(NAMESPACES.monitoring, 'alertmanager'),
} as const satisfies Record<string, Peer>

const { postgres, redis, openbao, metrics } = PORTS

/**
 * Every connection between pods of the platform. What is not in this table is denied at both ends.
 * The gateway, operator and sealer bring their own ends with the chart.
 */
export const CONNECTIONS: readonly Connection[] = [
  connect('edge-to-gateway', 'requests that passed the edge', 'edge', 'gateway', PORTS.gateway),
  connect('gateway-to-database', 'secrets, users and audit rows', 'gateway', 'database', postgres),
  connect('sealer-to-database', 'seals audit rows', 'sealer', 'database', postgres),
  connect('operator-to-database', 'fenced functions only', 'operator', 'database', postgres),
  connect('migrator-to-database', 'schema changes', 'migrator', 'database', postgres),
  connect('gateway-to-redis', 'limits and revocations', 'gateway', 'redis', redis),
  connect('gateway-to-openbao', 'wraps and unwraps data keys', 'gateway', 'openbao', openbao),
  connect('sealer-to-openbao', 'signs checkpoints', 'sealer', 'openbao', openbao),
  connect('operator-to-openbao', 'state and values of rotations', 'operator', 'openbao', openbao),
  connect('onboarder-to-openbao', 'opens a namespace', 'onboarder', 'openbao', openbao),
  connect('operator-to-gateway', 'audit events', 'operator', 'gateway', PORTS.gatewayInternal),
  connect(
    'database-replication',
    'replicas follow',
    'database',
    'database',
    postgres,
    PORTS.postgresStatus,
  ),
  connect(
    'database-operator',
    'health and fail-over',
    'databaseOperator',
    'database',
    PORTS.postgresStatus,
    postgres,
  ),
  connect('scrape-gateway', 'metrics', 'prometheus', 'gateway', metrics),
  connect('scrape-sealer', 'metrics', 'prometheus', 'sealer', metrics),
  connect('scrape-operator', 'metrics', 'prometheus', 'operator', metrics),
  connect('scrape-database', 'metrics', 'prometheus', 'database', PORTS.postgresMetrics),
  connect(
    'scrape-cert-manager',
    'life left of certificates',
    'prometheus',
    'certManager',
    PORTS.certManagerMetrics,
  ),
  connect('alerts', 'alerts', 'prometheus', 'alertmanager', PORTS.alertmanager),
]

/** What the table becomes where the database lies outside: nobody's pods, reached by address. */
export const withExistingDatabase = (table: readonly Connection[]): readonly Connection[] => [
  ...table.filter(({ from, to }) => from !== PEERS.database && to !== PEERS.database),
  connect(
    'database-job-to-openbao',
    "keeps the operator's login",
    'databaseJob',
    'openbao',
    openbao,
  ),
]

/** Nodes of the secret store vote among each other and pass requests on to the one that leads. */
export const withStoreNodes = (table: readonly Connection[]): readonly Connection[] => [
  ...table,
  connect('openbao-nodes', 'raft', 'openbao', 'openbao', openbao, PORTS.openbaoCluster),
]

function connect(
  name: string,
  why: string,
  from: keyof typeof PEERS,
  to: keyof typeof PEERS,
  ...ports: readonly number[]
): Connection {
  return { name, why, from: PEERS[from], to: PEERS[to], ports }
}
