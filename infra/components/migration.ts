import * as pulumi from '@pulumi/pulumi'
import { clientTlsSecret, DATABASE, HOSTS, NAMESPACES } from '../names.ts'
import { secretFiles } from '../workload/volumes.ts'
import { BootstrapJob } from './bootstrap-job.ts'

const TLS = '/etc/palisade/postgres'

/** How a program reaches the database with a client certificate. */
const certificateLogin = (role: string): Readonly<Record<string, string>> => ({
  PGHOST: HOSTS.database,
  PGPORT: String(DATABASE.port),
  PGDATABASE: DATABASE.name,
  PGUSER: role,
  PGSSLMODE: 'verify-full',
  PGSSLCERT: `${TLS}/tls.crt`,
  PGSSLKEY: `${TLS}/tls.key`,
  PGSSLROOTCERT: `${TLS}/ca.crt`,
})

/** Brings the schema to the version of the image, as a role that owns nothing by itself. */
export class Migration extends pulumi.ComponentResource {
  constructor(name: string, args: { image: string }, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Migration', name, {}, opts)
    new BootstrapJob(
      name,
      {
        namespace: NAMESPACES.system,
        image: args.image,
        args: ['migrate'],
        env: certificateLogin('palisade_migrator'),
        files: [secretFiles('postgres', clientTlsSecret('palisade_migrator'), TLS)],
      },
      { parent: this },
    )
    this.registerOutputs({})
  }
}
