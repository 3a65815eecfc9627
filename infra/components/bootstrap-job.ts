import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { allowApiServer } from '../network/policies.ts'
import { jobSpec } from '../workload/job.ts'
import { selectorOf } from '../workload/labels.ts'
import type { Mounted } from '../workload/volumes.ts'

export interface BootstrapJobArgs {
  readonly namespace: string
  readonly image: string
  readonly args: readonly string[]
  /** Secrets that it makes: namespace to name. It may create Secrets there and see none but these. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly files?: readonly Mounted[]
  readonly serviceAccount?: string
  /** False where several Jobs share an account that somebody else made. */
  readonly ownAccount?: boolean
  /** Label of its pods, by which connections are allowed; its name unless told. */
  readonly app?: string
  /** Where the API server is, for a Job that makes Secrets. */
  readonly apiServer?: StackConfig['cluster']['apiServer']
}

/** What it may do with Secrets in one namespace. Creation cannot be limited to a name. */
const secretMaker = (secret: string) => [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get', 'patch'] },
]

/** A one-shot program of the platform with an account of its own and no more rights than its act needs. */
export class BootstrapJob extends pulumi.ComponentResource {
  constructor(name: string, args: BootstrapJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:BootstrapJob', name, {}, opts)
    const { namespace } = args
    const within = { parent: this }
    const account = args.serviceAccount ?? name
    const needed: pulumi.Resource[] = []
    if (args.ownAccount !== false) {
      needed.push(
        new k8s.core.v1.ServiceAccount(
          name,
          { metadata: { name: account, namespace }, automountServiceAccountToken: false },
          within,
        ),
      )
    }
    for (const [where, secret] of Object.entries(args.secrets ?? {})) {
      const metadata = { name, namespace: where }
      needed.push(
        new k8s.rbac.v1.Role(`${name}/${where}`, { metadata, rules: secretMaker(secret) }, within),
        new k8s.rbac.v1.RoleBinding(
          `${name}/${where}`,
          {
            metadata,
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
            subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
          },
          within,
        ),
      )
    }
    const app = args.app ?? name
    if (args.apiServer !== undefined) {
      const who = { namespace, pods: selectorOf(app) }
      const policy = allowApiServer(who, name, args.apiServer)
      needed.push(
        new k8s.networking.v1.NetworkPolicy(
          `${name}-api-server`,
          { metadata: { name: policy.name, namespace }, spec: policy.spec },
          within,
        ),
      )
    }
    new k8s.batch.v1.Job(
      name,
      {
        metadata: { name, namespace },
        spec: jobSpec({
          app,
          image: args.image,
          args: args.args,
          serviceAccount: account,
          usesApi: args.secrets !== undefined,
          ...(args.env === undefined ? {} : { env: args.env }),
          ...(args.files === undefined ? {} : { files: args.files }),
        }),
      },
      { parent: this, dependsOn: needed, deleteBeforeReplace: true },
    )
    this.registerOutputs({})
  }
}
