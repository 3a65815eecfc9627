import { ensureObjects, toldOf } from '../cluster/ensure-objects.ts'
import { withCluster } from '../cluster/open.ts'
import type { Manifest } from '../cluster/manifest.ts'
import type { KubeApi } from '../provider/kubernetes/api.ts'
import type { StepContext } from '../steps.ts'
import { operatorManifests, type Phases } from './manifests.ts'
import { releasedManifests, SOURCES } from './sources.ts'
import { waitForAnswers } from './webhooks.ts'

export interface EnsureOperatorsOptions {
  readonly kubeconfig: string
  /** Name → reference; all of `ensureImages`. */
  readonly images: Readonly<Record<string, string>>
  readonly cacheDir: string
  readonly stateDir: string
  readonly podCidr: string
  readonly toolPath: (name: string) => Promise<string>
  readonly context: StepContext
}

/** Their namespaces, policies and definitions: only the API server is needed for these, no node and no image. */
export const prepareForOperators = (options: EnsureOperatorsOptions): Promise<string> =>
  withCluster(options.kubeconfig, async (api) => {
    const { namespaces, definitions } = await phasesOf(options)
    return ensurePhases(api, { namespaces, definitions }, options)
  })

/** cert-manager, CloudNativePG and prometheus-operator: there, ready, and their webhooks answering. */
export const ensureOperators = (options: EnsureOperatorsOptions): Promise<string> =>
  withCluster(options.kubeconfig, async (api) => {
    const { operators } = await phasesOf(options)
    const told = await ensurePhases(api, { operators }, options)
    options.context.note('asking their webhooks')
    await waitForAnswers(api, options.context)
    return told
  })

async function ensurePhases(
  api: KubeApi,
  phases: Readonly<Record<string, readonly Manifest[]>>,
  { stateDir, context }: EnsureOperatorsOptions,
): Promise<string> {
  let applied = 0
  for (const [name, manifests] of Object.entries(phases)) {
    applied += await ensureObjects(api, { name, manifests, stateDir, context })
  }
  return toldOf(applied, Object.values(phases).flat().length)
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
