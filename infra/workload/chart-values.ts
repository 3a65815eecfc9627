import type { StackConfig } from '../config/schema.ts'
import {
  clientTlsSecret,
  GATEWAY_AUDIENCE,
  HOSTS,
  NAMESPACES,
  OPENBAO_AUDIENCE,
  PORTS,
  SECRETS,
  tlsSecret,
} from '../names.ts'
import { auditVolumeBytes } from '../postgres/volume.ts'

/** One chart, two stages: the operator makes the credentials that gateway and sealer wait for. */
export type Stage = 'operator' | 'services'

/** Somebody else's database: who signed its certificate, and where its addresses are. */
const existingDatabase = ({ existing }: StackConfig['postgres']) =>
  existing === undefined
    ? { database: {}, network: {} }
    : {
        database: { database: { caSecret: existing.secret } },
        network: { database: { cidrs: existing.cidrs, port: existing.port } },
      }

/** Where checkpoints go beside the secret store, and by which addresses. Absent, nothing of it is in the values. */
const objectStore = ({ objectStore: wish }: StackConfig['audit']) => {
  if (wish === undefined) return { sealer: {}, network: {} }
  const { endpoint, bucket, region, prefix = '', addressing = 'path', secret, keys = {} } = wish
  return {
    sealer: {
      objectStore: {
        ...{ endpoint, bucket, region, prefix, addressing, secret },
        keys: {
          accessKeyId: 'access-key-id',
          secretAccessKey: 'secret-access-key',
          sessionToken: 'session-token',
          ca: 'ca.crt',
          ...keys,
        },
      },
    },
    network: { objectStore: { cidrs: wish.cidrs, port: Number(new URL(endpoint).port || 443) } },
  }
}

export const chartValues = (config: StackConfig, stage: Stage, publicUrl: string) => ({
  image: config.images.control,
  profile: config.profile,
  clusterId: config.clusterId,
  operator: {
    enabled: stage === 'operator',
    replicas: config.operator.replicas,
    tlsSecret: tlsSecret('operator'),
    clientCertificates:
      config.postgres.existing === undefined ? [clientTlsSecret('palisade_operator')] : [],
  },
  gateway: {
    enabled: stage === 'services',
    replicas: config.gateway.replicas,
    publicUrl,
    // The network policy lets the edge alone in from there.
    trustedProxies: config.cluster.podCidrs,
    audience: GATEWAY_AUDIENCE,
    auditVolumeBytes: auditVolumeBytes(config.postgres),
    tlsSecret: tlsSecret('gateway'),
    databaseSecret: SECRETS.gatewayDatabase,
    redisSecret: SECRETS.gatewayRedis,
  },
  sealer: {
    enabled: stage === 'services',
    tlsSecret: tlsSecret('sealer'),
    databaseSecret: SECRETS.sealerDatabase,
    ...objectStore(config.audit).sealer,
  },
  openbao: { address: `https://${HOSTS.openbao}:${PORTS.openbao}`, audience: OPENBAO_AUDIENCE },
  redis: { address: `${HOSTS.redis}:${PORTS.redis}` },
  ...existingDatabase(config.postgres).database,
  networkPolicies: {
    enabled: true,
    ...existingDatabase(config.postgres).network,
    ...objectStore(config.audit).network,
    apiServer: config.cluster.apiServer,
    namespaces: {
      edge: NAMESPACES.edge,
      data: NAMESPACES.data,
      vault: NAMESPACES.vault,
      monitoring: NAMESPACES.monitoring,
    },
  },
})
