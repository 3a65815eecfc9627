import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { NAMESPACES } from '../names.ts'

/** What lets the operator act in one namespace: rights of the cluster, given by name. */
export class OperatorAccess extends pulumi.ComponentResource {
  constructor(name: string, args: { namespace: string }, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:OperatorAccess', name, {}, opts)
    new k8s.rbac.v1.RoleBinding(
      name,
      {
        metadata: { name: 'palisade', namespace: args.namespace },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'palisade-namespace',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: NAMESPACES.system }],
      },
      { parent: this },
    )
    this.registerOutputs({})
  }
}
