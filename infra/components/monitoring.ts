import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import {
  alertmanagerSpec,
  type MonitoringWish,
  podMonitorSpec,
  prometheusSpec,
  PROMETHEUS_HOST,
  servingNames,
  targets,
} from '../monitoring/resources.ts'
import { NAMESPACES, tlsSecret } from '../names.ts'
import { PEERS } from '../network/connections.ts'
import { allowApiServer } from '../network/policies.ts'
import { Certificate } from './certificate.ts'

export interface MonitoringArgs extends MonitoringWish {
  readonly apiServer: StackConfig['cluster']['apiServer']
  readonly ownDatabase: boolean
  /** Groups of alert rules; each alert has a runbook. */
  readonly ruleGroups: readonly object[]
  /** Documents for Grafana by their uid. */
  readonly dashboards: Readonly<Record<string, string>>
}

const API = 'monitoring.coreos.com/v1'
const namespace = NAMESPACES.monitoring
/** What the sidecar of a Grafana looks for, as kube-prometheus-stack sets it up. */
const FOR_GRAFANA = {
  labels: { grafana_dashboard: '1' },
  annotations: { grafana_folder: 'Palisade' },
}

/** Prometheus and Alertmanager by the Prometheus operator; every scrape and every answer over TLS. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Monitoring', name, {}, opts)
    const within = { parent: this }
    const secretName = tlsSecret('prometheus')
    const certificate = new Certificate(
      secretName,
      {
        namespace,
        secretName,
        commonName: PROMETHEUS_HOST,
        dnsNames: servingNames(),
        usages: ['server auth', 'client auth'],
      },
      within,
    )
    const ready = [certificate, ...this.#rights(args, name)]
    const own = (kind: string, spec: object, wait: boolean) =>
      new k8s.apiextensions.CustomResource(
        `${name}-${kind.toLowerCase()}`,
        {
          apiVersion: API,
          kind,
          metadata: {
            name: 'palisade',
            namespace,
            ...(wait ? { annotations: { 'pulumi.com/waitFor': 'condition=Available' } } : {}),
          },
          spec,
        },
        { parent: this, dependsOn: ready },
      )
    for (const [uid, text] of Object.entries(args.dashboards)) {
      new k8s.core.v1.ConfigMap(
        `${name}-${uid}`,
        {
          metadata: { name: `dashboard-${uid}`, namespace, ...FOR_GRAFANA },
          data: { [`${uid}.json`]: text },
        },
        within,
      )
    }
    own('PrometheusRule', { groups: args.ruleGroups }, false)
    own('Alertmanager', alertmanagerSpec(args), true)
    own('Prometheus', prometheusSpec(args), true)
    for (const target of targets(args.ownDatabase)) {
      new k8s.apiextensions.CustomResource(
        `${name}-${target.name}`,
        {
          apiVersion: API,
          kind: 'PodMonitor',
          metadata: { name: target.name, namespace },
          spec: podMonitorSpec(target),
        },
        within,
      )
    }
    this.registerOutputs({})
  }

  /** It may list pods where it scrapes, and read nothing else of the cluster. */
  #rights(args: MonitoringArgs, name: string): readonly pulumi.Resource[] {
    const within = { parent: this }
    const account = new k8s.core.v1.ServiceAccount(
      name,
      { metadata: { name: 'prometheus', namespace }, automountServiceAccountToken: false },
      within,
    )
    const { spec } = allowApiServer(PEERS.prometheus, 'prometheus', args.apiServer)
    const network = new k8s.networking.v1.NetworkPolicy(
      `${name}-api-server`,
      { metadata: { name: 'prometheus-to-api-server', namespace }, spec },
      within,
    )
    const scraped = new Set([
      namespace,
      ...targets(args.ownDatabase).map((target) => target.namespace),
    ])
    const roles = [...scraped].flatMap((where) => {
      const metadata = { name: 'palisade-prometheus', namespace: where }
      return [
        new k8s.rbac.v1.Role(
          `${name}-${where}`,
          {
            metadata,
            rules: [
              {
                apiGroups: [''],
                resources: ['pods', 'services', 'endpoints'],
                verbs: ['get', 'list', 'watch'],
              },
            ],
          },
          within,
        ),
        new k8s.rbac.v1.RoleBinding(
          `${name}-${where}`,
          {
            metadata,
            roleRef: {
              apiGroup: 'rbac.authorization.k8s.io',
              kind: 'Role',
              name: metadata.name,
            },
            subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace }],
          },
          within,
        ),
      ]
    })
    return [account, network, ...roles]
  }
}
