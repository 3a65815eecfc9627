import { describe, expect, it } from 'vitest'
import { noteSigner } from '../../test/support/note-signer.ts'
import { signedCheckpoint } from '../../test/support/signed-checkpoint.ts'
import { keptKey, newestKey, objectStoreSink } from './object-checkpoints.ts'
import type { ObjectStore } from './object-store.ts'

const LOG = 'palisade.dev/audit/t'
const { signer } = noteSigner(LOG)

describe('objectStoreSink', () => {
  it.each(['If-None-Match', 'If-Match'])(
    'uses no server that overlooks %s, and leaves its newest checkpoint as it is',
    async (overlooked) => {
      const objects = new Map<string, string>()
      const store = {
        get: async (key: string) => {
          const text = objects.get(key)
          return text === undefined ? undefined : { text, etag: '"1"' }
        },
        put: async (key: string, text: string, condition: unknown) => {
          const holds = condition === 'absent' ? !objects.has(key) : objects.has(key)
          const isOverlooked = (condition === 'absent') === (overlooked === 'If-None-Match')
          const other = condition !== 'absent' && !isOverlooked
          if ((!holds || other) && !isOverlooked) return false as const
          objects.set(key, text)
          return '"1"'
        },
      }
      const sink = objectStoreSink(store, LOG)
      const note = await signedCheckpoint(signer, { size: 3 })
      await expect(sink.publish(note)).rejects.toMatchObject({ code: 'ERR_OBJECT_STORE_REFUSED' })
      expect(await sink.newest()).toBeUndefined()
    },
  )

  it('remembers a checkpoint that contradicts ours, instead of an older one that both go through', async () => {
    const objects = new Map<string, string>()
    const sink = objectStoreSink(storeOf(objects), LOG)
    const [older, ours, theirs] = await Promise.all([
      signedCheckpoint(signer, { size: 3 }),
      signedCheckpoint(signer, { size: 9 }),
      signedCheckpoint(signer, { size: 9, root: 7 }),
    ])
    await sink.publish(older)
    objects.set(keptKey(LOG, 1, 9), theirs)
    await expect(sink.publish(ours)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    expect(await sink.newest()).toBe(theirs)
    expect(objects.get(newestKey(LOG))).toBe(older)
  })

  it('wants to be looked at once after somebody emptied it, and is written then', async () => {
    const objects = new Map<string, string>()
    const sink = objectStoreSink(storeOf(objects), LOG)
    const at = (size: number) => signedCheckpoint(signer, { size })
    await sink.publish(await at(3))
    objects.clear()
    expect(await sink.publish(await at(4))).toBe(false)
    expect(await sink.newest()).toBeUndefined()
    expect(await sink.publish(await at(5))).toBe(true)
    expect(objects.get(newestKey(LOG))).toBe(await at(5))
  })

  it('takes a write that another one forestalls at this moment for no contradiction', async () => {
    const store = { ...storeOf(new Map()), put: async () => false as const }
    const note = await signedCheckpoint(signer, { size: 3 })
    await expect(objectStoreSink(store, LOG).publish(note)).rejects.toMatchObject({
      code: 'ERR_OBJECT_STORE_REFUSED',
    })
  })
})

/** With conditional writes; an entity tag is the text itself. */
const storeOf = (objects: Map<string, string>): Pick<ObjectStore, 'get' | 'put'> => ({
  get: async (key) => {
    const text = objects.get(key)
    return text === undefined ? undefined : { text, etag: text }
  },
  put: async (key, text, condition) => {
    const there = objects.get(key)
    if (condition === 'absent' ? there !== undefined : there !== condition.etag) return false
    objects.set(key, text)
    return text
  },
})
