import type { RotationBackendSpec } from '#api/v1alpha1/rotation-backend'
import type { SecretRotationSpec } from '#api/v1alpha1/secret-rotation'
import type { StackConfig } from '../config/schema.ts'
import { clientTlsSecret, DATABASE, HOSTS, NAMESPACES, OPERATOR_LOGIN, SECRETS } from '../names.ts'

export const BACKEND = DATABASE.cluster

/** Our own database knows our certificates; somebody else's knows a password, which lies in the secret store. */
const reach = ({ existing }: StackConfig['postgres']) =>
  existing === undefined
    ? {
        endpoint: { host: HOSTS.database, port: DATABASE.port, database: DATABASE.name },
        instances: { host: HOSTS.databaseInstances, port: DATABASE.port },
        serverLogs: {
          namespace: NAMESPACES.data,
          podSelector: { matchLabels: { 'cnpg.io/cluster': DATABASE.cluster } },
          container: 'postgres',
        },
        credential: {
          clientCertificate: {
            user: 'palisade_operator',
            secretName: clientTlsSecret('palisade_operator'),
          },
        },
      }
    : {
        endpoint: { host: existing.host, port: existing.port, database: existing.database },
        tls: { trust: 'Credential' as const },
        credential: { vaultPath: OPERATOR_LOGIN },
      }

/** The platform's own roles, for the platform's own namespace and no other. */
export const platformBackend = (postgres: StackConfig['postgres']) =>
  ({
    kind: 'Postgres',
    ...reach(postgres),
    allowedNamespaces: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACES.system } },
    names: ['palisade_app_a', 'palisade_app_b', 'palisade_sealer_a', 'palisade_sealer_b'],
  }) satisfies Partial<RotationBackendSpec>

export interface PlatformRotation {
  readonly name: string
  readonly group: string
}

/** Every credential that our own programs use is rotated like anybody's. */
export const PLATFORM_ROTATIONS: readonly PlatformRotation[] = [
  { name: SECRETS.gatewayDatabase, group: 'palisade_app' },
  { name: SECRETS.sealerDatabase, group: 'palisade_sealer' },
]

export const rotationSpec = ({ name, group }: PlatformRotation) =>
  ({
    source: {
      postgresRole: {
        connectionRef: { name: BACKEND },
        roles: [`${group}_a`, `${group}_b`],
        memberOf: group,
      },
    },
    store: { path: name },
    secret: { name },
    schedule: { every: '720h' },
  }) satisfies Partial<Record<keyof SecretRotationSpec, unknown>>
