import * as pulumi from '@pulumi/pulumi'
import { HOSTS, NAMESPACES, PORTS } from '../names.ts'
import { openbaoToken, secretFiles } from '../workload/volumes.ts'
import { BootstrapJob } from './bootstrap-job.ts'
import { OperatorAccess } from './operator-access.ts'

export interface AppNamespaceArgs {
  readonly namespace: string
  readonly controlImage: string
  /** Secret with the CA bundle, for the Job that opens the store. */
  readonly caSecret: string
}

/** Opens an existing namespace of a team for rotations, in the cluster and in the secret store. */
export class AppNamespace extends pulumi.ComponentResource {
  constructor(name: string, args: AppNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:AppNamespace', name, {}, opts)
    new OperatorAccess(name, args, { parent: this })
    new BootstrapJob(
      `onboard-${args.namespace}`,
      {
        namespace: NAMESPACES.system,
        image: args.controlImage,
        args: ['enable', args.namespace],
        app: 'onboard',
        serviceAccount: 'onboarder',
        ownAccount: false,
        env: {
          PALISADE_VAULT_ADDR: `https://${HOSTS.openbao}:${PORTS.openbao}`,
          PALISADE_VAULT_ROLE: 'palisade-onboarder',
          PALISADE_VAULT_TOKEN_PATH: '/var/run/secrets/palisade/openbao/token',
          PALISADE_TLS_DIR: '/etc/palisade/tls',
        },
        files: [openbaoToken(), secretFiles('tls', args.caSecret, '/etc/palisade/tls')],
      },
      { parent: this },
    )
    this.registerOutputs({})
  }
}
