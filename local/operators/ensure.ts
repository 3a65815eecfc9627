import { ensureObjects, toldOf } from '../cluster/ensure-objects.ts'
import { withCluster } from '../cluster/open.ts'
import { prune } from '../cluster/prune.ts'
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
    const applied = await ensurePhases(api, { namespaces, definitions }, options)
    return toldOf(applied, namespaces.length + definitions.length)
  })

/**
 * cert-manager, CloudNativePG and prometheus-operator: there, ready, and their webhooks answering. What an earlier
 * version gave them and this one does not goes then, of all phases, since an object may have moved between these.
 */
export const ensureOperators = (options: EnsureOperatorsOptions): Promise<string> =>
  withCluster(options.kubeconfig, async (api) => {
    const phases = await phasesOf(options)
    const { operators } = phases
    const applied = await ensurePhases(api, { operators }, options)
    const all = { names: Object.keys(phases), manifests: Object.values(phases).flat() }
    const removed = await prune(api, { ...all, ...options })
    options.context.note('asking their webhooks')
    await waitForAnswers(api, options.context)
    return toldOf(applied, operators.length, removed)
  })

async function ensurePhases(
  api: KubeApi,
  phases: Readonly<Record<string, readonly Manifest[]>>,
  { stateDir, context }: EnsureOperatorsOptions,
): Promise<number> {
  let applied = 0
  for (const [name, manifests] of Object.entries(phases)) {
    applied += await ensureObjects(api, { name, manifests, stateDir, context })
  }
  return applied
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
