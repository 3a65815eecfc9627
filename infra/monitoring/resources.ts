import { SCRAPE_SECONDS } from '../../observability/fresh.ts'
import type { StackConfig } from '../config/schema.ts'
import { DATABASE, HOSTS, NAMESPACES, OPERATOR_NAMESPACES, tlsSecret } from '../names.ts'
import { resources, restrictedPod } from '../workload/security.ts'

const SECRET = tlsSecret('prometheus')
const fromSecret = (key: string) => ({ name: SECRET, key })

/** One certificate serves both servers; clients check it under the name of the Service they use. */
const serving = () => ({
  tlsConfig: { cert: { secret: fromSecret('tls.crt') }, keySecret: fromSecret('tls.key') },
})
const trusting = (serverName: string) => ({
  ca: { secret: fromSecret('ca.crt') },
  serverName,
})

const ALERTMANAGER_HOST = `alertmanager-operated.${NAMESPACES.monitoring}.svc`
export const PROMETHEUS_HOST = `prometheus-operated.${NAMESPACES.monitoring}.svc`

export interface MonitoringWish {
  readonly images: StackConfig['images']
  readonly retention: string
  readonly storageClass?: string
}

/** Selects what lies in its own namespace and nothing else, so a team cannot add a scrape to it. */
export const prometheusSpec = ({ images, retention, storageClass }: MonitoringWish) => ({
  image: images.prometheus,
  version: '2.53.3',
  imagePullPolicy: 'IfNotPresent',
  replicas: 1,
  retention,
  scrapeInterval: `${SCRAPE_SECONDS}s`,
  evaluationInterval: '15s',
  serviceAccountName: 'prometheus',
  podMonitorSelector: {},
  ruleSelector: {},
  web: serving(),
  alerting: {
    alertmanagers: [
      {
        namespace: NAMESPACES.monitoring,
        name: 'alertmanager-operated',
        port: 'web',
        scheme: 'https',
        tlsConfig: trusting(ALERTMANAGER_HOST),
      },
    ],
  },
  securityContext: restrictedPod(),
  resources: resources('50m', '200Mi', '512Mi'),
  storage: {
    volumeClaimTemplate: {
      spec: {
        accessModes: ['ReadWriteOnce'],
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        resources: { requests: { storage: '2Gi' } },
      },
    },
  },
})

export const alertmanagerSpec = ({ images }: MonitoringWish) => ({
  image: images.alertmanager,
  version: '0.28.1',
  imagePullPolicy: 'IfNotPresent',
  replicas: 1,
  web: serving(),
  automountServiceAccountToken: false,
  securityContext: restrictedPod(),
  resources: resources('10m', '48Mi', '128Mi'),
})

export interface Target {
  readonly name: string
  readonly namespace: string
  readonly selector: Readonly<Record<string, string>>
  readonly port: string
  /** Name in its certificate; absent where the program cannot serve metrics over TLS. */
  readonly serverName?: string
}

const program = (name: string): Target => ({
  name,
  namespace: NAMESPACES.system,
  selector: { 'app.kubernetes.io/name': name },
  port: 'metrics',
  serverName: `${name}.${NAMESPACES.system}.svc`,
})

const TARGETS: readonly Target[] = [
  program('gateway'),
  program('sealer'),
  program('operator'),
  {
    name: 'database',
    namespace: NAMESPACES.data,
    selector: { 'cnpg.io/cluster': DATABASE.cluster, 'cnpg.io/podRole': 'instance' },
    port: 'metrics',
    serverName: HOSTS.database,
  },
  {
    name: 'cert-manager',
    namespace: OPERATOR_NAMESPACES.certManager,
    selector: { app: 'cert-manager' },
    port: 'http-metrics',
  },
]

/** Without a database of our own there is nothing of it to scrape: its measures are its provider's. */
export const targets = (ownDatabase: boolean): readonly Target[] =>
  TARGETS.filter(({ name }) => ownDatabase || name !== 'database')

export const podMonitorSpec = (target: Target) => ({
  selector: { matchLabels: target.selector },
  namespaceSelector: { matchNames: [target.namespace] },
  jobLabel: 'app.kubernetes.io/name',
  podMetricsEndpoints: [
    {
      port: target.port,
      path: '/metrics',
      ...(target.serverName === undefined
        ? {}
        : { scheme: 'https', tlsConfig: trusting(target.serverName) }),
      relabelings: [{ targetLabel: 'job', replacement: target.name }],
    },
  ],
})

/** Names under which the one certificate is served. */
export const servingNames = () => [
  PROMETHEUS_HOST,
  ALERTMANAGER_HOST,
  `*.prometheus-operated.${NAMESPACES.monitoring}.svc`,
  `*.alertmanager-operated.${NAMESPACES.monitoring}.svc`,
  'localhost',
]
