import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES, PORTS, SECRETS, tlsSecret } from '../names.ts'
import { allowApiServer } from '../network/policies.ts'
import { PEERS } from '../network/connections.ts'
import { type InitialisationWish, openbaoConfig } from '../openbao/config.ts'
import { type OpenBaoWish, openbaoStatefulSet } from '../openbao/stateful-set.ts'
import { serviceNames } from '../workload/certificate.ts'
import { selectorOf } from '../workload/labels.ts'
import { BootstrapJob } from './bootstrap-job.ts'
import { Certificate } from './certificate.ts'

export interface OpenBaoArgs extends OpenBaoWish, InitialisationWish {
  readonly controlImage: string
  readonly apiServer: StackConfig['cluster']['apiServer']
}

/** The secret store. It initialises itself on its first start, and the root token is gone afterwards. */
export class OpenBao extends pulumi.ComponentResource {
  constructor(name: string, args: OpenBaoArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:OpenBao', name, {}, opts)
    const namespace = NAMESPACES.vault
    const within = { parent: this }
    const sealKey = new BootstrapJob(
      'seal-key',
      {
        namespace,
        image: args.controlImage,
        args: ['bootstrap', 'seal-key'],
        secrets: { [namespace]: SECRETS.sealKey },
        apiServer: args.apiServer,
      },
      within,
    )
    const certificate = new Certificate(
      tlsSecret('openbao'),
      {
        namespace,
        secretName: tlsSecret('openbao'),
        commonName: 'openbao',
        dnsNames: ['openbao', ...serviceNames('openbao', namespace)],
        usages: ['server auth'],
        readOnce: true,
      },
      within,
    )
    const account = new k8s.core.v1.ServiceAccount(
      name,
      { metadata: { name: 'openbao', namespace }, automountServiceAccountToken: false },
      within,
    )
    const reviewer = new k8s.rbac.v1.ClusterRoleBinding(
      name,
      {
        metadata: { name: 'palisade-openbao-token-review' },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:auth-delegator',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'openbao', namespace }],
      },
      within,
    )
    const { spec } = allowApiServer(PEERS.openbao, 'openbao', args.apiServer)
    const network = new k8s.networking.v1.NetworkPolicy(
      `${name}-api-server`,
      { metadata: { name: 'openbao-to-api-server', namespace }, spec },
      within,
    )
    const config = new k8s.core.v1.ConfigMap(
      name,
      {
        metadata: { name: 'openbao', namespace },
        data: { 'config.json': `${JSON.stringify(openbaoConfig(args), null, 2)}\n` },
      },
      within,
    )
    new k8s.core.v1.Service(
      name,
      {
        metadata: { name: 'openbao', namespace, labels: selectorOf('openbao') },
        spec: {
          selector: selectorOf('openbao'),
          ports: [{ name: 'api', port: PORTS.openbao, targetPort: PORTS.openbao }],
        },
      },
      within,
    )
    new k8s.apps.v1.StatefulSet(
      name,
      { metadata: { name: 'openbao', namespace }, spec: openbaoStatefulSet(args) },
      {
        parent: this,
        dependsOn: [sealKey, certificate, account, reviewer, network, config],
      },
    )
    this.registerOutputs({})
  }
}
