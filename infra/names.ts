/** Names that charts, policies and programs agree on. A change here is a migration, not a rename. */
export const NAMESPACES = {
  system: 'palisade-system',
  edge: 'palisade-edge',
  data: 'palisade-data',
  vault: 'palisade-vault',
  monitoring: 'palisade-monitoring',
} as const

/** Namespaces of the cluster's own operators: they exist before us or are installed by us. */
export const OPERATOR_NAMESPACES = {
  certManager: 'cert-manager',
  postgres: 'cnpg-system',
  prometheus: 'prometheus-operator',
} as const

export const ISSUER = 'palisade-ca'

export const DATABASE = {
  cluster: 'palisade-db',
  name: 'palisade',
  port: 5432,
  /** A Service of ours that has an address for every instance; those of CloudNativePG have one for all. */
  instances: 'palisade-db-instances',
} as const

export const HOSTS = {
  gateway: `gateway.${NAMESPACES.system}.svc`,
  database: `${DATABASE.cluster}-rw.${NAMESPACES.data}.svc`,
  databaseInstances: `${DATABASE.instances}.${NAMESPACES.data}.svc`,
  redis: `palisade-redis.${NAMESPACES.data}.svc`,
  openbao: `openbao.${NAMESPACES.vault}.svc`,
} as const

export const PORTS = {
  gateway: 3000,
  gatewayInternal: 3443,
  metrics: 9464,
  probes: 8081,
  redis: 6379,
  openbao: 8200,
  openbaoCluster: 8201,
  edgePlain: 8080,
  edgeTls: 8443,
  postgres: 5432,
  postgresStatus: 8000,
  postgresMetrics: 9187,
  certManagerMetrics: 9402,
  prometheus: 9090,
  alertmanager: 9093,
} as const

/** Secrets by name. Values never pass through this program. */
export const SECRETS = {
  gatewayDatabase: 'gateway-db',
  sealerDatabase: 'sealer-db',
  gatewayRedis: 'gateway-redis',
  redisAcl: 'redis-acl',
  sealKey: 'openbao-seal-key',
  serverTls: 'postgres-server-tls',
  replicationTls: 'postgres-replication-tls',
} as const

/** Where the operator's login lies when the database is somebody else's: mount and path in the secret store. */
export const OPERATOR_LOGIN = 'platform/backends/palisade-db'

/** TLS Secret of a component, and of a database role that logs in by certificate. */
export const tlsSecret = (component: string): string => `${component}-tls`
export const clientTlsSecret = (role: string): string =>
  `postgres-client-${role.replaceAll('_', '-')}-tls`

/** Audience of the tokens that workloads show to the secret store, and nowhere else. */
export const OPENBAO_AUDIENCE = 'openbao'

/** Audience of the tokens that programs of the platform show on the gateway's internal listener. */
export const GATEWAY_AUDIENCE = 'palisade-gateway'
