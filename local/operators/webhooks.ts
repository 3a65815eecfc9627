import { apply } from '../cluster/apply.ts'
import { nameOf, type Manifest } from '../cluster/manifest.ts'
import type { KubeApi } from '../provider/kubernetes/api.ts'
import { type StepContext, until } from '../steps.ts'

/**
 * Objects that the operators' webhooks must judge. A pod that is ready says nothing about the
 * certificate that the API server needs to call it; only an answer does.
 */
const PROBES: readonly Manifest[] = [
  {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'probe', namespace: 'cert-manager' },
    spec: { secretName: 'probe', dnsNames: ['probe.invalid'], issuerRef: { name: 'probe' } },
  },
  {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Cluster',
    metadata: { name: 'probe', namespace: 'cnpg-system' },
    spec: { instances: 1, storage: { size: '1Gi' } },
  },
  {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'probe', namespace: 'prometheus-operator' },
    spec: { groups: [] },
  },
]

export const waitForAnswers = async (api: KubeApi, context: StepContext): Promise<void> => {
  await Promise.all(
    PROBES.map((probe) =>
      until(`an answer to a trial ${nameOf(probe)}`, () => apply(api, probe, { dryRun: true }), {
        timeoutMs: 120_000,
        context,
      }),
    ),
  )
}
