import type { OperatorName, StackConfig } from '../config/schema.ts'
import { OPERATOR_NAMESPACES } from '../names.ts'

export interface OperatorChart {
  readonly name: string
  readonly namespace: string
  readonly reference: StackConfig['operators']['charts'][OperatorName]
  readonly values: Readonly<Record<string, unknown>>
}

/** A webhook answers when its configuration knows the authority of its certificate, some seconds after its pod is ready. */
const KNOWS_ITS_AUTHORITY = {
  'pulumi.com/waitFor': 'jsonpath={.webhooks[0].clientConfig.caBundle}',
}

const NAMES: Readonly<Record<OperatorName, string>> = {
  certManager: 'cert-manager',
  postgres: 'cloudnative-pg',
  prometheus: 'prometheus-operator',
}

/** The charts' own defaults, but for what must be there before ours, and what we bring ourselves. */
const VALUES: Readonly<Record<OperatorName, Readonly<Record<string, unknown>>>> = {
  certManager: {
    crds: { enabled: true },
    global: { leaderElection: { namespace: OPERATOR_NAMESPACES.certManager } },
    // It is a hook of Helm, which nobody runs here; the webhook's own configuration is waited for instead.
    startupapicheck: { enabled: false },
    webhook: {
      mutatingWebhookConfigurationAnnotations: KNOWS_ITS_AUTHORITY,
      validatingWebhookConfigurationAnnotations: KNOWS_ITS_AUTHORITY,
    },
  },
  // Writes its own authority into its webhooks before it says that it is ready.
  postgres: { crds: { create: true } },
  // The operator and its definitions alone: Prometheus, Alertmanager and their rules are ours.
  prometheus: {
    nameOverride: 'prometheus-operator',
    fullnameOverride: 'prometheus-operator',
    crds: { enabled: true },
    defaultRules: { create: false },
    alertmanager: { enabled: false },
    grafana: { enabled: false, forceDeployDashboards: false },
    kubernetesServiceMonitors: { enabled: false },
    kubeApiServer: { enabled: false },
    kubelet: { enabled: false },
    kubeControllerManager: { enabled: false },
    coreDns: { enabled: false },
    kubeEtcd: { enabled: false },
    kubeScheduler: { enabled: false },
    kubeProxy: { enabled: false },
    kubeStateMetrics: { enabled: false },
    nodeExporter: { enabled: false },
    prometheus: { enabled: false },
    prometheusOperator: {
      admissionWebhooks: { enabled: false },
      tls: { enabled: false },
      serviceMonitor: { selfMonitor: false },
    },
  },
}

/** Nothing is installed that the platform would not use. */
const isNeeded = (name: OperatorName, { postgres, monitoring }: StackConfig): boolean => {
  switch (name) {
    case 'certManager':
      return true
    case 'postgres':
      return postgres.existing === undefined
    case 'prometheus':
      return monitoring.enabled
  }
}

/** What the stack wants installed; empty where the operators are there already. */
export const wantedCharts = (config: StackConfig): readonly OperatorChart[] => {
  const { mode, except, charts } = config.operators
  if (mode === 'present') return []
  return (['certManager', 'postgres', 'prometheus'] as const)
    .filter((name) => !except.includes(name) && isNeeded(name, config))
    .map((name) => ({
      name: NAMES[name],
      namespace: OPERATOR_NAMESPACES[name],
      reference: charts[name],
      values: VALUES[name],
    }))
}
