import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { operatorBinding } from '#core/operator-binding'

/** Lets the operator act in one namespace. */
export class OperatorAccess extends pulumi.ComponentResource {
  constructor(name: string, args: { namespace: string }, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:OperatorAccess', name, {}, opts)
    new k8s.rbac.v1.RoleBinding(name, operatorBinding(args.namespace), { parent: this })
    this.registerOutputs({})
  }
}
