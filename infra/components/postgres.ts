import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { clientTlsSecret, DATABASE, NAMESPACES, SECRETS } from '../names.ts'
import { BOOTSTRAP_SQL, type ClusterWish, clusterSpec } from '../postgres/cluster.ts'
import { PEERS } from '../network/connections.ts'
import { allowApiServer } from '../network/policies.ts'
import { EXPORTER_QUERIES, exporterQueries } from '../postgres/exporter.ts'
import { CERTIFICATE_ROLES } from '../postgres/hba.ts'
import { serviceNames } from '../workload/certificate.ts'
import { Certificate } from './certificate.ts'

/** CloudNativePG asks for this label before it reloads a Secret that it did not make. */
const RELOAD = { 'cnpg.io/reload': '' }

export interface PostgresArgs extends ClusterWish {
  readonly apiServer: StackConfig['cluster']['apiServer']
  /** Statements that need a superuser, run once when the database is made. */
  readonly bootstrapSql: string
  /** Networks of pods: whoever connects from elsewhere is counted. */
  readonly podCidrs: readonly string[]
}

/** PostgreSQL by CloudNativePG, with certificates of the private CA and no superuser Secret. */
export class Postgres extends pulumi.ComponentResource {
  readonly cluster: string

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Postgres', name, {}, opts)
    const { data, system } = NAMESPACES
    const services = ['rw', 'ro', 'r'].map((suffix) => `${DATABASE.cluster}-${suffix}`)
    const server = new Certificate(
      SECRETS.serverTls,
      {
        namespace: data,
        secretName: SECRETS.serverTls,
        commonName: `${DATABASE.cluster}-rw`,
        dnsNames: services.flatMap((service) => [service, ...serviceNames(service, data)]),
        usages: ['server auth'],
        labels: RELOAD,
      },
      { parent: this },
    )
    const replication = new Certificate(
      SECRETS.replicationTls,
      {
        namespace: data,
        secretName: SECRETS.replicationTls,
        commonName: 'streaming_replica',
        usages: ['client auth'],
        labels: RELOAD,
      },
      { parent: this },
    )
    for (const role of CERTIFICATE_ROLES) {
      const secretName = clientTlsSecret(role)
      new Certificate(
        secretName,
        {
          namespace: system,
          secretName,
          commonName: role,
          usages: ['client auth'],
          readOnce: true,
        },
        { parent: this },
      )
    }
    const bootstrap = new k8s.core.v1.ConfigMap(
      name,
      {
        metadata: { name: BOOTSTRAP_SQL.name, namespace: data },
        data: { [BOOTSTRAP_SQL.key]: args.bootstrapSql },
      },
      { parent: this },
    )
    const queries = new k8s.core.v1.ConfigMap(
      `${name}-metrics`,
      {
        metadata: { name: EXPORTER_QUERIES.name, namespace: data, labels: RELOAD },
        data: { [EXPORTER_QUERIES.key]: exporterQueries(args.podCidrs) },
      },
      { parent: this },
    )
    // Each instance keeps its own state in the API server.
    const { spec } = allowApiServer(PEERS.database, 'database', args.apiServer)
    const network = new k8s.networking.v1.NetworkPolicy(
      `${name}-api-server`,
      { metadata: { name: 'database-to-api-server', namespace: data }, spec },
      { parent: this },
    )
    this.#openForOperator()
    new k8s.apiextensions.CustomResource(
      name,
      {
        apiVersion: 'postgresql.cnpg.io/v1',
        kind: 'Cluster',
        metadata: {
          name: DATABASE.cluster,
          namespace: data,
          annotations: { 'pulumi.com/waitFor': 'condition=Ready' },
        },
        spec: clusterSpec(args),
      },
      { parent: this, dependsOn: [server, replication, network, bootstrap, queries] },
    )
    this.cluster = DATABASE.cluster
    this.registerOutputs({ cluster: this.cluster })
  }

  /** What the operator needs to see besides its login: every instance by its own address, and refused logins. */
  #openForOperator(): void {
    const { data: namespace, system } = NAMESPACES
    const pods = { 'cnpg.io/cluster': DATABASE.cluster, 'cnpg.io/podRole': 'instance' }
    new k8s.core.v1.Service(
      DATABASE.instances,
      {
        metadata: { name: DATABASE.instances, namespace },
        spec: {
          clusterIP: 'None',
          selector: pods,
          // An instance that is not ready may still have sessions: it must be missed, not forgotten.
          publishNotReadyAddresses: true,
          ports: [{ name: 'postgres', port: DATABASE.port, targetPort: DATABASE.port }],
        },
      },
      { parent: this },
    )
    const name = 'operator-reads-database-logs'
    // RBAC cannot name pods by label, so this covers the logs of Redis in the same namespace too.
    const role = new k8s.rbac.v1.Role(
      name,
      {
        metadata: { name, namespace },
        rules: [
          { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
          { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
        ],
      },
      { parent: this },
    )
    new k8s.rbac.v1.RoleBinding(
      name,
      {
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: system }],
      },
      { parent: this, dependsOn: [role] },
    )
  }
}
