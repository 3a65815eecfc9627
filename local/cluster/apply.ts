import { about, type KubeApi } from '../provider/kubernetes/api.ts'
import { ApiError } from '../provider/kubernetes/api-error.ts'
import type { JsonMap } from '../provider/values.ts'
import { keyOf, type Manifest } from './manifest.ts'

/** Names our fields on objects that operators write to as well. */
const FIELD_MANAGER = 'palisade-local'
const AT_ONCE = 8

/** @throws {Error} that names the object in front of what the API server said */
export async function apply(
  api: KubeApi,
  manifest: Manifest,
  { dryRun = false } = {},
): Promise<JsonMap> {
  const key = keyOf(manifest)
  try {
    return await api.apply(manifest as unknown as JsonMap, key, {
      fieldManager: FIELD_MANAGER,
      force: true,
      dryRun,
    })
  } catch (error) {
    if (error instanceof ApiError) throw new Error(about(key, error), { cause: error })
    throw error
  }
}

/**
 * A few at a time: each is a round trip, and the machine is small. After a failure no other one begins, and who asked
 * is told when those under way have ended.
 */
export async function forEach<T>(
  all: readonly T[],
  act: (one: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...all]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal.throwIfAborted()
      await act(next).catch((error: unknown) => {
        queue.length = 0
        throw error
      })
    }
  }
  const workers = Array.from({ length: AT_ONCE }, worker)
  await Promise.allSettled(workers)
  await Promise.all(workers)
}
