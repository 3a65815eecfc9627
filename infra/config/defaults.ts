import type { Profile } from './schema.ts'

/** One of each for trying; copies where losing one must not be noticed. */
const SIZES = {
  dev: { copies: 1, data: 1, disk: '1Gi' },
  staging: { copies: 2, data: 1, disk: '10Gi' },
  production: { copies: 3, data: 3, disk: '50Gi' },
} as const satisfies Record<Profile, { copies: number; data: number; disk: string }>

/** Exact versions, so that the same stack installs the same operators tomorrow; the bot proposes newer ones. */
const CHARTS = {
  certManager: { chart: 'oci://quay.io/jetstack/charts/cert-manager', version: 'v1.19.2' },
  postgres: {
    chart: 'oci://ghcr.io/cloudnative-pg/charts/cloudnative-pg',
    version: '0.26.0',
  },
  prometheus: {
    chart: 'oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack',
    version: '77.8.0',
  },
} as const

/** Values a stack need not write. What decides about trust (hosts, images, seal) has no default. */
export const profileDefaults = (profile: Profile): Record<string, unknown> => {
  const size = SIZES[profile]
  return {
    clusterId: 'default',
    operators: { mode: 'present', except: [], charts: CHARTS },
    cluster: { dnsCidrs: [] },
    postgres: { instances: size.data, storage: size.disk, version: 17 },
    redis: { storage: '1Gi' },
    openbao: { replicas: size.data, storage: '1Gi', sealEgress: [] },
    edge: {
      ...{ proxyProtocol: false, trustedProxies: [], replicas: size.copies },
      ...{ nginxVersion: '1.26', xssFilter: 'off' },
    },
    gateway: { replicas: size.copies },
    operator: { replicas: Math.min(size.copies, 2) },
    monitoring: { enabled: true, retention: '24h' },
    audit: {},
    appNamespaces: [],
  }
}
