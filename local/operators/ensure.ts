import type { StepContext } from '../steps.ts'
import { ApiClient } from './api-client.ts'
import { operatorManifests, type Phases } from './manifests.ts'
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

/** Their namespaces, policies and definitions: only the API server is needed for these, no node and no image. */
export const prepareForOperators = (options: EnsureOperatorsOptions): Promise<string> =>
  withClient(options, async (client) =>
    makeReady(client, (await phasesOf(options)).slice(0, -1), options.context),
  )

/** cert-manager, CloudNativePG and prometheus-operator: there, ready, and their webhooks answering. */
export const ensureOperators = (options: EnsureOperatorsOptions): Promise<string> =>
  withClient(options, async (client) => {
    const { context } = options
    const told = await makeReady(client, (await phasesOf(options)).slice(-1), context)
    context.note('asking their webhooks')
    await waitForAnswers(client, context)
    return told
  })

const withClient = async (
  { kubeconfig }: EnsureOperatorsOptions,
  act: (client: ApiClient) => Promise<string>,
): Promise<string> => {
  const client = new ApiClient(kubeconfig)
  try {
    return await act(client)
  } finally {
    await client.close()
  }
}

const phasesOf = async (options: EnsureOperatorsOptions): Promise<Phases> => {
  const { images, cacheDir, podCidr, toolPath, context } = options
  const source = { cacheDir, toolPath, signal: context.signal }
  const [certManager, cloudNativePg, prometheusOperator] = await Promise.all([
    releasedManifests(SOURCES.certManager, source),
    releasedManifests(SOURCES.cloudNativePg, source),
    releasedManifests(SOURCES.prometheusOperator, source),
  ])
  const released = { certManager, cloudNativePg, prometheusOperator }
  return operatorManifests(released, images, podCidr)
}

const makeReady = async (
  client: ApiClient,
  phases: Phases,
  context: StepContext,
): Promise<string> => {
  for (const phase of phases) {
    await applyAll(client, phase, context)
    await waitUntilReady(client, phase, context, 180_000)
  }
  return `${phases.flat().length} objects applied`
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
