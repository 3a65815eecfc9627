import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES, PORTS, SECRETS, tlsSecret } from '../names.ts'
import { type Addresses, allowAddresses, allowApiServer } from '../network/policies.ts'
import { PEERS } from '../network/connections.ts'
import { configMapData, type InitialisationWish } from '../openbao/config.ts'
import { certificateNames, NODES_SERVICE } from '../openbao/nodes.ts'
import { cloudIdentity } from '../openbao/seal.ts'
import { type OpenBaoWish, openbaoStatefulSet } from '../openbao/stateful-set.ts'
import { selectorOf } from '../workload/labels.ts'
import { BootstrapJob } from './bootstrap-job.ts'
import { Certificate } from './certificate.ts'

export interface OpenBaoArgs extends OpenBaoWish, InitialisationWish {
  readonly apiServer: StackConfig['cluster']['apiServer']
  /** What unsealing has to reach outside the cluster. */
  readonly sealEgress: readonly Addresses[]
}

/** The secret store. It initialises itself on its first start, and the root token is gone afterwards. */
export class OpenBao extends pulumi.ComponentResource {
  constructor(name: string, args: OpenBaoArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:OpenBao', name, {}, opts)
    const namespace = NAMESPACES.vault
    const within = { parent: this }
    const sealing = args.seal === 'static' ? [this.#sealKey(args)] : this.#wayToSeal(args)
    const certificate = new Certificate(
      tlsSecret('openbao'),
      {
        namespace,
        secretName: tlsSecret('openbao'),
        commonName: 'openbao',
        dnsNames: certificateNames(args.replicas),
        usages: ['server auth'],
        readOnce: true,
      },
      within,
    )
    const { annotations } = cloudIdentity(args)
    const named = Object.keys(annotations).length > 0
    const account = new k8s.core.v1.ServiceAccount(
      name,
      {
        metadata: { name: 'openbao', namespace, ...(named ? { annotations } : {}) },
        automountServiceAccountToken: false,
      },
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
      { metadata: { name: 'openbao', namespace }, data: configMapData(args) },
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
    const several = args.replicas > 1 ? this.#nodes(name) : []
    new k8s.apps.v1.StatefulSet(
      name,
      { metadata: { name: 'openbao', namespace }, spec: openbaoStatefulSet(args) },
      {
        parent: this,
        dependsOn: [...sealing, certificate, account, reviewer, network, config, ...several],
      },
    )
    this.registerOutputs({})
  }
  #sealKey({ controlImage, apiServer }: OpenBaoArgs): pulumi.Resource {
    const namespace = NAMESPACES.vault
    return new BootstrapJob(
      'seal-key',
      {
        namespace,
        image: controlImage,
        args: ['bootstrap', 'seal-key'],
        secrets: { [namespace]: SECRETS.sealKey },
        apiServer,
      },
      { parent: this },
    )
  }

  /** Without it the store could not be opened: everything is denied that is not named. */
  #wayToSeal({ sealEgress }: OpenBaoArgs): readonly pulumi.Resource[] {
    return sealEgress.map((addresses, index) => {
      const policy = allowAddresses(PEERS.openbao, `openbao-to-seal-${index}`, addresses)
      return new k8s.networking.v1.NetworkPolicy(
        policy.name,
        { metadata: { name: policy.name, namespace: policy.namespace }, spec: policy.spec },
        { parent: this },
      )
    })
  }

  /** What several nodes need beyond one: to find each other, and never to lose two at a time on purpose. */
  #nodes(name: string): readonly pulumi.Resource[] {
    const namespace = NAMESPACES.vault
    const selector = selectorOf('openbao')
    return [
      new k8s.core.v1.Service(
        NODES_SERVICE,
        {
          metadata: { name: NODES_SERVICE, namespace, labels: selector },
          spec: {
            clusterIP: 'None',
            publishNotReadyAddresses: true,
            selector,
            ports: [
              { name: 'api', port: PORTS.openbao, targetPort: PORTS.openbao },
              { name: 'cluster', port: PORTS.openbaoCluster, targetPort: PORTS.openbaoCluster },
            ],
          },
        },
        // A headless Service without a ready pod is not awaited, or each would wait for the other.
        { parent: this },
      ),
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: { name: 'openbao', namespace },
          spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
        },
        { parent: this },
      ),
    ]
  }
}
