import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { Deps } from './ports.ts'
import type { ApiClient } from './runtime/api-client.ts'
import type { LeaseElection } from './runtime/lease.ts'
import type { RuntimeMetrics } from './runtime/metrics.ts'
import { Reflector } from './runtime/reflector.ts'
import { keyOf, type ObjectKey } from './runtime/types.ts'
import {
  createRotationController,
  onBackendChange,
  onRotationChange,
} from './secret-rotation/controller.ts'
import { lookForLeftOvers } from './secret-rotation/left-over.ts'

const ROTATIONS = '/apis/palisade.dev/v1alpha1/secretrotations'
const BACKENDS = '/apis/palisade.dev/v1alpha1/rotationbackends'

export interface OperatorParts {
  readonly client: ApiClient
  readonly deps: Deps
  readonly metrics: RuntimeMetrics
  readonly election: LeaseElection
  readonly concurrency: number
  readonly onReady: () => void
  readonly onLeading: (leads: boolean) => void
}

/**
 * Watches from the start, so that a replica that comes to lead is warm; works only while it leads. A lost lease
 * ends the process: half of its passes may believe what is no longer true.
 */
export async function runOperator(
  parts: OperatorParts,
  signal: AbortSignal,
): Promise<'lost' | 'stopped'> {
  const { client, deps, metrics, election } = parts
  const { log } = deps
  const controller = createRotationController(deps, { concurrency: parts.concurrency, metrics })
  const rotations = new Reflector<SecretRotation>({
    client,
    path: ROTATIONS,
    log,
    metrics,
    onChange: (change) => onRotationChange(controller, deps.turns, change),
  })
  const backends = new Reflector<RotationBackend>({
    client,
    path: BACKENDS,
    log,
    metrics,
    onChange: (change) => onBackendChange(controller, rotations.store, change),
  })
  const watching = [rotations.run(signal), backends.run(signal)]
  await Promise.race([
    Promise.all([rotations.synced, backends.synced]),
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ])
  parts.onReady()
  try {
    await election.acquire(signal)
  } catch (error) {
    if (signal.aborted) return 'stopped'
    throw error
  }
  log.info({}, 'This replica leads')
  parts.onLeading(true)
  metrics.leader(true)
  const work = new AbortController()
  const untilEnd = AbortSignal.any([signal, work.signal])
  const working = controller.run(untilEnd)
  if (deps.deliveries) {
    const look = (key: ObjectKey) => controller.queue.add(keyOf(key), 'routine')
    void lookForLeftOvers(deps, look, untilEnd)
  }
  const ended = await election.hold(signal)
  parts.onLeading(false)
  metrics.leader(false)
  if (ended === 'lost') return ended
  work.abort()
  await Promise.all([working, ...watching])
  await election.release()
  return 'stopped'
}
