import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { operatorBindingManifest } from '#core/operator-binding'

const PROGRAMS = join(import.meta.dirname, '../../examples/rotate-postgres-password/programs')
const program = (file: string) => readFileSync(join(PROGRAMS, file), 'utf8')

/** Everything that a team is called by. A namespace cannot contain `_`, so the users are nobody else's. */
export const namesOf = (team: string) => ({
  namespace: team,
  backend: `${team}-db`,
  policy: `in-${team}-to-database`,
  pair: `${team}_orders`,
  rotation: 'orders',
  secret: 'orders-db',
  path: 'orders/db',
  consumer: 'web',
})
export type TeamNames = ReturnType<typeof namesOf>

/** What a platform team does once for a namespace, as in examples/rotate-postgres-password/platform. */
export const groundOf = ({ namespace, backend, policy }: TeamNames, ca: string): object[] => [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  operatorBindingManifest(namespace),
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: policy, namespace: 'palisade-data' },
    spec: {
      podSelector: { matchLabels: { 'cnpg.io/cluster': 'palisade-db' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
              podSelector: { matchLabels: { database: 'palisade' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 5432 }],
        },
      ],
    },
  },
  {
    apiVersion: 'palisade.dev/v1alpha1',
    kind: 'RotationBackend',
    metadata: { name: backend },
    spec: {
      kind: 'Postgres',
      endpoint: { host: 'palisade-db-rw.palisade-data.svc', port: 5432, database: 'palisade' },
      instances: { host: 'palisade-db-instances.palisade-data.svc', port: 5432 },
      serverLogs: {
        namespace: 'palisade-data',
        podSelector: { matchLabels: { 'cnpg.io/cluster': 'palisade-db' } },
        container: 'postgres',
      },
      credential: {
        clientCertificate: {
          user: 'palisade_operator',
          secretName: 'postgres-client-palisade-operator-tls',
        },
      },
      allowedNamespaces: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      names: ['{namespace}_*'],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'programs', namespace },
    data: {
      'ca.crt': ca,
      'config.ts': program('config.ts'),
      'fresh-logins.ts': program('fresh-logins.ts'),
    },
  },
]

/** Nothing is waited for but the evidence itself. */
export const rotationOf = ({ namespace, backend, pair, ...names }: TeamNames): object => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind: 'SecretRotation',
  metadata: { name: names.rotation, namespace },
  spec: {
    source: {
      postgresRole: {
        connectionRef: { name: backend },
        roles: [`${pair}_a`, `${pair}_b`],
        memberOf: pair,
      },
    },
    store: { path: names.path },
    secret: { name: names.secret },
    schedule: { every: '720h' },
    overlap: { min: '0s', max: '1h', quiet: '0s' },
    consumers: { restart: { coalesce: '0s' } },
    deletionPolicy: 'Revoke',
  },
})

/** Logs in twice a second with what it has read from files at its start. */
export const consumerOf = ({ namespace, secret, consumer }: TeamNames, image: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: consumer, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: consumer } },
    template: {
      metadata: { labels: { app: consumer, database: 'palisade' } },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 1,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10001,
          fsGroup: 10001,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'main',
            image,
            command: ['node', 'example/fresh-logins.ts'],
            env: [{ name: 'DB_DIR', value: '/etc/credential' }],
            ports: [{ name: 'probe', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/ready', port: 'probe' }, periodSeconds: 1 },
            resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              // Beside the image's own programs, so that its PostgreSQL client is found.
              { name: 'programs', mountPath: '/opt/palisade/example', readOnly: true },
              { name: 'ca', mountPath: '/etc/ca', readOnly: true },
              { name: 'credential', mountPath: '/etc/credential', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'programs', configMap: { name: 'programs' } },
          {
            name: 'ca',
            configMap: { name: 'programs', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
          },
          { name: 'credential', secret: { secretName: secret, defaultMode: 0o440 } },
        ],
      },
    },
  },
})
