import type { StepContext } from '../steps.ts'
import { until } from '../steps.ts'
import type { ApiClient } from './api-client.ts'
import { nameOf, type Manifest } from './objects.ts'

interface Condition {
  readonly type: string
  readonly status: string
  readonly message?: string
}

interface Conditioned {
  readonly metadata: { readonly generation?: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly conditions?: readonly Condition[]
    readonly updatedReplicas?: number
  }
}

/** `Established` of a definition, `Available` of a Deployment: for the generation that was applied. */
export const isReady = (kind: string, seen: Conditioned): boolean => {
  const wanted = kind === 'Deployment' ? 'Available' : 'Established'
  if (!seen.status?.conditions?.some(({ type, status }) => type === wanted && status === 'True')) {
    return false
  }
  if (kind !== 'Deployment') return true
  // Until the controller has seen the last change, `Available` still speaks of the pods before it.
  return (
    seen.status.observedGeneration === seen.metadata.generation &&
    (seen.status.updatedReplicas ?? 0) > 0
  )
}

export const waitUntilReady = async (
  client: ApiClient,
  manifests: readonly Manifest[],
  context: StepContext,
  timeoutMs: number,
): Promise<void> => {
  const waiting = manifests.filter(({ kind }) =>
    /^(Deployment|CustomResourceDefinition)$/.test(kind),
  )
  await Promise.all(
    waiting.map((manifest) =>
      until(
        `${nameOf(manifest)} ready`,
        async () => (isReady(manifest.kind, await client.read(manifest)) ? true : undefined),
        { timeoutMs, context },
      ),
    ),
  )
}

/**
 * Objects that the operators' webhooks must judge. A pod that is ready says nothing about the
 * certificate that the API server needs to call it; only an answer does.
 */
export const PROBES: readonly Manifest[] = [
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

export const waitForAnswers = async (client: ApiClient, context: StepContext): Promise<void> => {
  await Promise.all(
    PROBES.map((probe) =>
      until(`an answer to a trial ${nameOf(probe)}`, () => client.apply(probe, { dryRun: true }), {
        timeoutMs: 120_000,
        context,
      }),
    ),
  )
}
