import type { StepContext } from '../steps.ts'
import { ApiClient } from './api-client.ts'
import { operatorManifests } from './manifests.ts'
import type { Manifest } from './objects.ts'
import { waitForAnswers, waitUntilReady } from './readiness.ts'
import { releasedManifests, SOURCES } from './sources.ts'

export interface EnsureOperatorsOptions {
  readonly kubeconfig: string
  /** Name → reference; all of `ensureImages`. */
  readonly images: Readonly<Record<string, string>>
  readonly cacheDir: string
  readonly podCidr: string
  readonly toolPath: (name: string) => Promise<string>
  readonly context: StepContext
}

/** cert-manager, CloudNativePG and prometheus-operator: there, ready, and their webhooks answering. */
export const ensureOperators = async (options: EnsureOperatorsOptions): Promise<string> => {
  const { kubeconfig, images, cacheDir, podCidr, toolPath, context } = options
  const source = { cacheDir, toolPath, signal: context.signal }
  const [certManager, cloudNativePg, prometheusOperator] = await Promise.all([
    releasedManifests(SOURCES.certManager, source),
    releasedManifests(SOURCES.cloudNativePg, source),
    releasedManifests(SOURCES.prometheusOperator, source),
  ])
  const released = { certManager, cloudNativePg, prometheusOperator }
  const phases = operatorManifests(released, images, podCidr)
  const client = new ApiClient(kubeconfig)
  try {
    for (const phase of phases) {
      await applyAll(client, phase, context)
      await waitUntilReady(client, phase, context, 180_000)
    }
    context.note('asking their webhooks')
    await waitForAnswers(client, context)
    return `${phases.flat().length} objects applied`
  } finally {
    await client.close()
  }
}

const AT_ONCE = 8

const applyAll = async (
  client: ApiClient,
  manifests: readonly Manifest[],
  context: StepContext,
) => {
  const queue = [...manifests]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      context.signal.throwIfAborted()
      await client.apply(next)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
