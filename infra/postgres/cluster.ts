import type { StackConfig } from '../config/schema.ts'
import { DATABASE, SECRETS } from '../names.ts'
import { resources } from '../workload/security.ts'
import { EXPORTER_QUERIES } from './exporter.ts'
import { hostRules } from './hba.ts'
import { walSettings } from './volume.ts'

export interface ClusterWish {
  readonly image: string
  readonly postgres: StackConfig['postgres']
  readonly storageClass?: string
}

/** The statements that need a superuser, run once when the database is made. */
export const BOOTSTRAP_SQL = { name: 'postgres-bootstrap', key: 'bootstrap.sql' } as const

/**
 * A statement that carries a password or a verifier must not reach the log: not when it succeeds, not when
 * it fails, not because it was slow. Who logged in and what was changed is written by pgaudit, without
 * parameters.
 */
const LOGGING = {
  log_connections: 'on',
  log_disconnections: 'on',
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_min_duration_statement: '-1',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  'pgaudit.log': 'ddl, role',
  'pgaudit.log_parameter': 'off',
  'pgaudit.log_statement': 'off',
  'pgaudit.log_catalog': 'off',
} as const

/** TLS and hashing: nothing below 1.3, nothing but SCRAM, no role without a limit on waiting. */
const GUARDS = {
  password_encryption: 'scram-sha-256',
  ssl_min_protocol_version: 'TLSv1.3',
  idle_in_transaction_session_timeout: '60s',
  tcp_keepalives_idle: '30',
} as const

export const clusterSpec = ({ image, postgres, storageClass }: ClusterWish) => ({
  instances: postgres.instances,
  imageName: image,
  imagePullPolicy: 'IfNotPresent',
  // No superuser Secret exists: the statements that need one run below, inside the first pod.
  enableSuperuserAccess: false,
  bootstrap: {
    initdb: {
      database: DATABASE.name,
      owner: 'palisade_owner',
      encoding: 'UTF8',
      localeCollate: 'C',
      localeCType: 'C',
      dataChecksums: true,
      // By reference: in the arguments of a container $$ would become $.
      postInitApplicationSQLRefs: {
        configMapRefs: [{ name: BOOTSTRAP_SQL.name, key: BOOTSTRAP_SQL.key }],
      },
    },
  },
  certificates: {
    serverCASecret: SECRETS.serverTls,
    serverTLSSecret: SECRETS.serverTls,
    clientCASecret: SECRETS.replicationTls,
    replicationTLSSecret: SECRETS.replicationTls,
  },
  // Above this level the instance manager hands on a hundred records of a second and drops the others (ADR 0024).
  logLevel: 'debug',
  postgresql: {
    pg_hba: [...hostRules()],
    parameters: { ...LOGGING, ...GUARDS, ...walSettings(postgres) },
  },
  ...(postgres.instances >= 3
    ? { minSyncReplicas: 1, maxSyncReplicas: postgres.instances - 2 }
    : {}),
  storage: {
    size: postgres.storage,
    ...(storageClass === undefined ? {} : { storageClass }),
  },
  // Asked every ten seconds, a server that is back at work goes on being taken for one that starts.
  probes: { startup: { periodSeconds: 2 } },
  monitoring: { tls: { enabled: true }, customQueriesConfigMap: [EXPORTER_QUERIES] },
  resources: resources('100m', '256Mi', '1Gi'),
  seccompProfile: { type: 'RuntimeDefault' },
  enablePDB: postgres.instances > 1,
  inheritedMetadata: { labels: { 'app.kubernetes.io/part-of': 'palisade' } },
})
