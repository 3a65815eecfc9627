import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { signedCheckpoint } from '../../test/support/signed-checkpoint.ts'
import { objectStoreSink } from './object-checkpoints.ts'

const LOG = 'palisade.dev/audit/t'
const { privateKey } = generateKeyPairSync('ed25519')

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
      const note = await signedCheckpoint(privateKey, { log: LOG, size: 3 })
      await expect(sink.publish(note)).rejects.toMatchObject({ code: 'ERR_OBJECT_STORE_REFUSED' })
      expect(await sink.newest()).toBeUndefined()
    },
  )
})
