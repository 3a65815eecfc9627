import { isDeepStrictEqual } from 'node:util'
import { checkFor } from '../provider/await/ready.ts'
import type { KubeApi } from '../provider/kubernetes/api.ts'
import { isMap, type JsonMap } from '../provider/values.ts'
import { type StepContext, until } from '../steps.ts'
import { apply, forEach } from './apply.ts'
import { keyOf, nameOf, type Manifest } from './manifest.ts'
import { Memory } from './memory.ts'

/** On an idle machine each of these takes seconds; a busy one needs patience, and a note says what is awaited. */
export const PATIENCE_MS = 300_000

/** Dozens of definitions take a few seconds each time, and nobody wants to read that. */
const QUIET_MS = 10_000

export interface EnsureWish {
  /** Of what belongs together; the objects of one name are not ensured twice at once. */
  readonly name: string
  readonly manifests: readonly Manifest[]
  readonly stateDir: string
  readonly context: StepContext
}

/**
 * Objects as they are written, and ready: what somebody changed since is put back, and what nobody touched is not
 * sent again.
 * @returns how many were applied
 */
export async function ensureObjects(api: KubeApi, wish: EnsureWish): Promise<number> {
  const { manifests, context } = wish
  const memory = await Memory.open(wish.stateDir, wish.name)
  const applied: { manifest: Manifest; made: JsonMap }[] = []
  const send = async (manifest: Manifest): Promise<void> => {
    if (memory.isSame(manifest, await api.metadata(keyOf(manifest)))) return
    const made = await apply(api, manifest)
    memory.applied(manifest, made)
    applied.push({ manifest, made })
  }
  const save = async (): Promise<void> => {
    if (applied.length > 0) await memory.save()
  }
  // Also when another one is refused, or is never ready: a version that mends this may do without some of them.
  await forEach(manifests, send, context.signal).finally(save)
  await Promise.all(
    applied.map(async ({ manifest, made }) => {
      const live = await untilReady(api, manifest, made, context)
      if (isDeepStrictEqual(withoutStatus(live), withoutStatus(made)))
        memory.settled(manifest, live)
    }),
  )
  await save()
  return applied.length
}

/** As a step of `make up` says it. */
export const toldOf = (applied: number, all: number, removed = 0): string =>
  [
    ...(applied === 0 ? [] : [`${applied} of ${all} objects applied`]),
    ...(removed === 0 ? [] : [`${removed} removed`]),
  ].join(', ') || 'unchanged'

/** What differs from what we applied in more than its status was written by somebody else while it became ready. */
function withoutStatus({ status: _status, metadata, ...rest }: JsonMap): JsonMap {
  const {
    resourceVersion: _version,
    managedFields: _fields,
    ...kept
  } = isMap(metadata) ? metadata : {}
  return { ...rest, metadata: kept }
}

async function untilReady(
  api: KubeApi,
  manifest: Manifest,
  made: JsonMap,
  context: StepContext,
): Promise<JsonMap> {
  const check = checkFor(made)
  if (!check) return made
  const quietUntil = Date.now() + QUIET_MS
  let told = ''
  let next: JsonMap | undefined = made
  const look = async (): Promise<JsonMap> => {
    const live = next ?? (await api.find(keyOf(manifest)))
    next = undefined
    if (!live) throw new Error('it was deleted')
    const seen = await check(live, api)
    if (seen.state === 'ready') return live
    if (seen.message !== told && Date.now() > quietUntil) {
      context.note(`${nameOf(manifest)}: ${seen.message}`)
      told = seen.message
    }
    // A failed one too is waited for: its condition may be from before a restart.
    throw new Error(seen.message)
  }
  return until(`${nameOf(manifest)} ready`, look, { timeoutMs: PATIENCE_MS, context })
}
