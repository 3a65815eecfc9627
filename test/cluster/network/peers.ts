import type { ProbePod } from '../../support/probe-pods.ts'

/** Outside our namespaces, where no policy holds: a denial met from or to here is the other end's. */
export const OUTSIDE = 'network-test'

const named = (name: string): Record<string, string> => ({ 'app.kubernetes.io/name': name })
const database = { 'cnpg.io/cluster': 'palisade-db' }
/** Of the example: what a workload of namespace shop carries that may log in. */
const consumer = { database: 'shop' }

/** Pods of the platform that connect or are connected to, by namespace and label. */
export const PODS = {
  gateway: ['palisade-system', 'app.kubernetes.io/name=gateway'],
  operator: ['palisade-system', 'app.kubernetes.io/name=operator'],
  sealer: ['palisade-system', 'app.kubernetes.io/name=sealer'],
  edge: ['palisade-edge', 'app.kubernetes.io/name=edge'],
  database: ['palisade-data', 'cnpg.io/cluster=palisade-db,cnpg.io/podRole=instance'],
  redis: ['palisade-data', 'app.kubernetes.io/name=redis'],
  openbao: ['palisade-vault', 'app.kubernetes.io/name=openbao'],
  prometheus: ['palisade-monitoring', 'app.kubernetes.io/name=prometheus'],
  alertmanager: ['palisade-monitoring', 'app.kubernetes.io/name=alertmanager'],
  certManager: ['cert-manager', 'app=cert-manager'],
  certWebhook: ['cert-manager', 'app=webhook'],
  databaseOperator: ['cnpg-system', 'app.kubernetes.io/name=cloudnative-pg'],
  prometheusOperator: ['prometheus-operator', 'app.kubernetes.io/name=prometheus-operator'],
  dns: ['kube-system', 'k8s-app=kube-dns'],
} as const satisfies Record<string, readonly [namespace: string, selector: string]>

const probe = (
  namespace: string,
  name: string,
  labels: Record<string, string>,
  listen?: readonly number[],
): ProbePod => ({ namespace, name: `probe-${name}`, labels, ...(listen ? { listen } : {}) })

/** Places in the network that no running Pod holds: Jobs that have ended, a replica, and strangers. */
export const PROBES = {
  stranger: probe(OUTSIDE, 'stranger', {}),
  listener: probe(
    OUTSIDE,
    'listener',
    {},
    [3000, 3443, 5432, 6379, 6443, 8000, 8200, 9093, 9187, 9464],
  ),
  migrate: probe('palisade-system', 'migrate', named('migrate')),
  onboard: probe('palisade-system', 'onboard', named('onboard')),
  redisUsers: probe('palisade-system', 'redis-users', named('redis-users')),
  unnamedInSystem: probe('palisade-system', 'unnamed', {}),
  sealKey: probe('palisade-vault', 'seal-key', named('seal-key')),
  replica: probe('palisade-data', 'replica', database),
  consumer: probe('shop', 'consumer', consumer),
  unnamedInShop: probe('shop', 'unnamed', {}),
  // Labels are free to take; the namespace is what a policy must ask for as well.
  falseGateway: probe(OUTSIDE, 'false-gateway', named('gateway')),
  falseSealer: probe(OUTSIDE, 'false-sealer', named('sealer')),
  falseOperator: probe(OUTSIDE, 'false-operator', named('operator')),
  falseMigrate: probe(OUTSIDE, 'false-migrate', named('migrate')),
  falseOnboard: probe(OUTSIDE, 'false-onboard', named('onboard')),
  falseEdge: probe(OUTSIDE, 'false-edge', named('edge')),
  falsePrometheus: probe(OUTSIDE, 'false-prometheus', named('prometheus')),
  falseReplica: probe(OUTSIDE, 'false-replica', database),
  falseConsumer: probe(OUTSIDE, 'false-consumer', consumer),
} as const

/** What listens at the node's own address. */
export const ON_NODE = ['apiServer', 'kubelet'] as const

export type Peer = keyof typeof PODS | keyof typeof PROBES | 'node'
