import { originOf } from '#core/audit/log-checkpoint'
import { PalisadeError } from '#core/problem'
import type { ObjectStore } from './object-store.ts'
import type { CheckpointSink } from './ports.ts'
import { goesFurther, positionOf } from './progress.ts'

/** A request costs money there, and each checkpoint is kept for years. */
const EVERY_MS = 10_000

/** How often a write that somebody else forestalled is judged anew. */
const ATTEMPTS = 3

/** An entity tag that no object has. */
const NO_ETAG = '"00000000000000000000000000000000"'

/** Key of the newest checkpoint of a log. */
export const newestKey = (log: string): string => `${log}/newest.note`

/** Key of one checkpoint for ever. Sizes are padded, so that a listing is in the order of the log. */
export const keptKey = (log: string, epoch: number, size: number): string =>
  `${originOf(log, epoch)}/${String(size).padStart(16, '0')}.note`

interface Remembered {
  readonly note: string | undefined
  readonly etag: string | undefined
}

/**
 * Checkpoints in a bucket outside of the cluster: the newest under one key, replaced by compare-and-set, and each
 * that was ever published under a key of its own, written once. Who takes the newest one back leaves the others.
 */
export function objectStoreSink(
  store: Pick<ObjectStore, 'get' | 'put'>,
  log: string,
): CheckpointSink {
  const newest = newestKey(log)
  let known: Remembered | undefined
  let holds = false
  let honoursConditions = false
  /** What was found in the place of a checkpoint of ours and says something else. */
  let contradiction: string | undefined

  const read = async (): Promise<Remembered> => {
    const found = await store.get(newest)
    holds ||= found !== undefined
    return (known = { note: found?.text, etag: found?.etag })
  }

  /** A server that takes every write would let an old checkpoint over a newer one, so it is no place at all. */
  const assertConditional = async (key: string, note: string) => {
    // The same bytes: where the condition is overlooked, nothing is lost.
    const written = [
      await store.put(key, note, 'absent'),
      await store.put(key, note, { etag: NO_ETAG }),
    ]
    if (written.some((etag) => etag !== false)) {
      throw new PalisadeError(
        'ERR_OBJECT_STORE_REFUSED',
        'the object store takes a write whose condition (If-None-Match, If-Match) does not hold',
        { remedy: 'use one with conditional writes, such as S3 itself' },
      )
    }
    honoursConditions = true
  }

  const keep = async (note: string) => {
    const { epoch, size } = positionOf(note)
    const key = keptKey(log, epoch, size)
    if ((await store.put(key, note, 'absent')) === false) {
      const there = (await store.get(key))?.text
      if (there === undefined) {
        throw new PalisadeError(
          'ERR_OBJECT_STORE_REFUSED',
          `the object store refused ${key} and has nothing there`,
        )
      }
      // Signed anew after the key was rotated, it says the same.
      if (textOf(there) !== textOf(note)) {
        contradiction = there
        throw new PalisadeError(
          'ERR_AUDIT_TAMPERED',
          `the object store keeps another checkpoint of ${size} records in epoch ${epoch}`,
        )
      }
    }
    if (!honoursConditions) await assertConditional(key, note)
  }

  return {
    name: 'object-store',
    everyMs: EVERY_MS,
    // Newest or not: as long as it lies there the database has to go through it.
    newest: async () => contradiction ?? (await read()).note,
    async publish(note) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { note: there, etag } = known ?? (await read())
        if (!goesFurther(note, there)) return false
        if (holds && there === undefined) {
          holds = false
          return false
        }
        await keep(note)
        // Forgotten until the answer is there: without one nobody knows what lies in the store now.
        known = undefined
        const written = await store.put(newest, note, etag === undefined ? 'absent' : { etag })
        if (written === false) continue
        if (written !== '') known = { note, etag: written }
        holds = true
        return true
      }
      throw new PalisadeError(
        'ERR_OBJECT_STORE_REFUSED',
        `the object store refused ${ATTEMPTS} writes of ${newest}`,
      )
    },
  }
}

/** What was signed, without the signatures. */
const textOf = (note: string) => note.slice(0, note.lastIndexOf('\n\n') + 1)
