import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { edgeDeployment, HEALTH_PORT } from '../edge/deployment.ts'
import { renderEdge } from '../edge/render.ts'
import { HOSTS, NAMESPACES, PORTS, tlsSecret } from '../names.ts'
import { edgeEntrance } from '../network/policies.ts'
import { digest } from '../workload/digest.ts'
import { labelsOf, selectorOf } from '../workload/labels.ts'
import { Certificate } from './certificate.ts'

export interface EdgeArgs {
  readonly image: string
  readonly edge: StackConfig['edge']
  /** What it passes requests to; its certificate does not wait for that. */
  readonly startsAfter: readonly pulumi.Resource[]
}

/** Our own NGINX tier: the one place where the outside comes in. */
export class Edge extends pulumi.ComponentResource {
  readonly url: string

  constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Edge', name, {}, opts)
    const namespace = NAMESPACES.edge
    const { edge } = args
    const within = { parent: this }
    const certificate = new Certificate(
      tlsSecret('edge'),
      {
        namespace,
        secretName: tlsSecret('edge'),
        commonName: edge.hosts[0] ?? 'edge',
        dnsNames: edge.hosts,
        usages: ['server auth'],
      },
      within,
    )
    const text = renderEdge({
      ...edge,
      ports: { plain: PORTS.edgePlain, tls: PORTS.edgeTls, health: HEALTH_PORT },
      upstream: {
        host: `${HOSTS.gateway}.cluster.local`,
        port: PORTS.gateway,
        serverName: HOSTS.gateway,
        tlsDirectory: '/etc/palisade/tls',
        resolver: 'kube-dns.kube-system.svc.cluster.local',
      },
    })
    const config = new k8s.core.v1.ConfigMap(
      name,
      { metadata: { name: 'edge', namespace }, data: { 'nginx.conf': text } },
      within,
    )
    const { spec } = edgeEntrance(edge)
    const entrance = new k8s.networking.v1.NetworkPolicy(
      `${name}-entrance`,
      { metadata: { name: 'entrance', namespace }, spec },
      within,
    )
    new k8s.core.v1.Service(
      name,
      {
        metadata: { name: 'edge', namespace, labels: labelsOf('edge') },
        spec: {
          type: edge.exposure === 'HostPort' ? 'ClusterIP' : edge.exposure,
          // The address of the client must reach the limits.
          ...(edge.exposure === 'HostPort' ? {} : { externalTrafficPolicy: 'Local' }),
          selector: selectorOf('edge'),
          ports: [
            { name: 'http', port: 80, targetPort: 'http' },
            { name: 'https', port: 443, targetPort: 'https' },
          ],
        },
      },
      // It is waited for until a pod is behind it, and not for longer than minutes.
      { parent: this, dependsOn: [...args.startsAfter] },
    )
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata: { name: 'edge', namespace, labels: labelsOf('edge') },
        spec: edgeDeployment({
          image: args.image,
          replicas: edge.replicas,
          exposure: edge.exposure,
          configDigest: digest(text),
        }),
      },
      { parent: this, dependsOn: [certificate, config, entrance, ...args.startsAfter] },
    )
    if (edge.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: { name: 'edge', namespace },
          spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf('edge') } },
        },
        within,
      )
    }
    this.url = `https://${edge.hosts[0] ?? ''}${edge.publicPort === 443 ? '' : `:${edge.publicPort}`}`
    this.registerOutputs({ url: this.url })
  }
}
