import { about, type KubeApi } from '../provider/kubernetes/api.ts'
import { ApiError } from '../provider/kubernetes/api-error.ts'
import type { StepContext } from '../steps.ts'
import { forEach } from './apply.ts'
import { keyOf, type Manifest } from './manifest.ts'
import { type Known, Memory, wordOf } from './memory.ts'

export interface PruneWish {
  /** Under which objects were ensured; one may have moved from one of these to another. */
  readonly names: readonly string[]
  /** All that there are to be under these names, and each was applied. */
  readonly manifests: readonly Manifest[]
  readonly stateDir: string
  readonly context: StepContext
}

/**
 * With one of these goes what others put into it: with a definition every database of the cluster. By itself it
 * permits nothing, so it stays, and is forgotten; whoever knows that nobody needs what it holds deletes it by hand.
 */
const HOLDS_OTHERS: ReadonlySet<string> = new Set(['Namespace', 'CustomResourceDefinition'])

/** What is no longer asked for, and what of that is to be deleted. */
export function decide(
  known: readonly Known[],
  manifests: readonly Manifest[],
): { readonly unasked: readonly Known[]; readonly obsolete: readonly Known[] } {
  const words = new Set(manifests.map((manifest) => wordOf(keyOf(manifest))))
  const isAsked = ({ key }: Known): boolean => words.has(wordOf(key))
  // The same object has one key for each version of its kind.
  const present = new Set(known.filter(isAsked).map(({ uid }) => uid))
  const unasked = known.filter((one) => !isAsked(one))
  const obsolete = unasked.filter(
    ({ key, uid }) => !present.has(uid) && !HOLDS_OTHERS.has(key.kind),
  )
  return { unasked, obsolete }
}

/**
 * Deletes what we applied before and do not apply any more: a policy that stays permits what it did. The memory has
 * the uid of each, so nothing that somebody else made is touched. An apply set (KEP-3659) would find ours without
 * a memory, by a label on each object, a parent that lists their kinds and a request for each kind at each run.
 * @returns how many were deleted
 */
export async function prune(api: KubeApi, wish: PruneWish): Promise<number> {
  const { names, manifests, stateDir, context } = wish
  const memories = await Promise.all(names.map((name) => Memory.open(stateDir, name)))
  const known = memories.flatMap((memory) => memory.known())
  const { unasked, obsolete } = decide(known, manifests)
  if (unasked.length === 0) return 0
  let removed = 0
  const remove = async (one: Known): Promise<void> => {
    if (await isRemoved(api, one)) removed++
  }
  await forEach(obsolete, remove, context.signal)
  for (const memory of memories) {
    for (const { key } of unasked) memory.forget(key)
    await memory.save()
  }
  return removed
}

async function isRemoved(api: KubeApi, { key, uid }: Known): Promise<boolean> {
  // When the definition is gone, so are its objects.
  if (!(await api.discovery.find(key.apiVersion, key.kind))) return false
  try {
    await api.remove(key, 'Background', uid)
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // Gone already, or another one of that name: the API server compares the uid.
    if (error.status === 404 || error.status === 409) return false
    throw new Error(about(key, error), { cause: error })
  }
}
