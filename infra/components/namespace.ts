import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { allowDns, denyAll } from '../network/policies.ts'
import { limitRange, namespaceLabels, quota } from '../workload/namespace.ts'

export interface NamespaceArgs {
  readonly dnsCidrs: readonly string[]
  /** Why this namespace cannot enforce `restricted`; it then still warns about and audits what is not. */
  readonly exception?: string
  /** Labels that say who may select the namespace. */
  readonly labels?: Readonly<Record<string, string>>
}

/** A namespace that denies everything until a connection is named. */
export class Namespace extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Namespace', name, {}, opts)
    const namespace = new k8s.core.v1.Namespace(
      name,
      {
        metadata: {
          name,
          labels: { ...args.labels, ...namespaceLabels(args.exception) },
          ...(args.exception === undefined
            ? {}
            : { annotations: { 'palisade.dev/pod-security-exception': args.exception } }),
        },
      },
      { parent: this },
    )
    const inside = { parent: this, dependsOn: [namespace] }
    for (const policy of [denyAll(name), allowDns(name, args.dnsCidrs)]) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}/${policy.name}`,
        { metadata: { name: policy.name, namespace: name }, spec: policy.spec },
        inside,
      )
    }
    const metadata = { name: 'palisade', namespace: name }
    new k8s.core.v1.ResourceQuota(name, { metadata, spec: quota() }, inside)
    new k8s.core.v1.LimitRange(name, { metadata, spec: limitRange() }, inside)
    this.name = namespace.metadata.name
    this.registerOutputs({ name: this.name })
  }
}
