import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { HOSTS, NAMESPACES, PORTS, tlsSecret } from '../names.ts'
import { PEERS } from '../network/connections.ts'
import { allowAddresses } from '../network/policies.ts'
import { openbaoToken, secretFiles } from '../workload/volumes.ts'
import { BootstrapJob } from './bootstrap-job.ts'
import { Certificate } from './certificate.ts'

const CONNECTION = '/etc/palisade/database'
const TLS = '/etc/palisade/tls'

export interface ExistingPostgresArgs {
  readonly image: string
  readonly existing: NonNullable<StackConfig['postgres']['existing']>
}

/**
 * A database that somebody else runs. One Job makes our roles and schema there with the login of the connection
 * Secret, which no other pod mounts, and keeps the operator's own login in the secret store.
 */
export class ExistingPostgres extends pulumi.ComponentResource {
  constructor(name: string, args: ExistingPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:ExistingPostgres', name, {}, opts)
    const namespace = NAMESPACES.system
    const { existing } = args
    const policy = allowAddresses(PEERS.databaseJob, 'database-job-to-database', existing)
    const network = new k8s.networking.v1.NetworkPolicy(
      `${name}-network`,
      { metadata: { name: policy.name, namespace }, spec: policy.spec },
      { parent: this },
    )
    // For its bundle: the Job checks the secret store's certificate with it.
    const certificate = new Certificate(
      tlsSecret('database'),
      {
        namespace,
        secretName: tlsSecret('database'),
        commonName: 'database',
        usages: ['client auth'],
      },
      { parent: this },
    )
    new BootstrapJob(
      'database',
      {
        namespace,
        image: args.image,
        args: ['bootstrap', 'database'],
        env: {
          PGHOST: existing.host,
          PGPORT: String(existing.port),
          PGDATABASE: existing.database,
          PALISADE_DATABASE_DIR: CONNECTION,
          PALISADE_TLS_DIR: TLS,
          PALISADE_VAULT_ADDR: `https://${HOSTS.openbao}:${PORTS.openbao}`,
          PALISADE_VAULT_ROLE: 'palisade-database',
        },
        files: [
          secretFiles('connection', existing.secret, CONNECTION),
          secretFiles('tls', certificate.secretName, TLS),
          openbaoToken(),
        ],
      },
      { parent: this, dependsOn: [network, certificate] },
    )
    this.registerOutputs({})
  }
}
