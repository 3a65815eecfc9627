import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { learnKeys, successorIn } from './key-chain.ts'
import { logCheckpointText, parseLogCheckpoint } from './log-checkpoint.ts'
import { parseVerifier, signNote, verifierText, type NoteSigner } from './note.ts'

const LOG = 'palisade.dev/audit/chain'

function key(name = LOG): NoteSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { name, publicKey: raw, sign: async (text) => sign(null, text, privateKey) }
}
const textOf = (each: NoteSigner) => verifierText(each.name, each.publicKey)
const verifier = (each: NoteSigner) => parseVerifier(textOf(each))

const checkpoint = (next?: NoteSigner, log = LOG) =>
  logCheckpointText({
    ...{ log, epoch: 1, size: 3, root: Buffer.alloc(32, 1), numbering: Buffer.alloc(32, 2) },
    counter: 1,
    ...(next ? { nextKey: textOf(next) } : {}),
  })
const [first, second, third, thief] = [key(), key(), key(), key()]
const learned = (notes: readonly string[], given = [verifier(first)]) =>
  learnKeys(notes, given).map(({ keyId }) => keyId)
const idsOf = (...keys: NoteSigner[]) => keys.map((each) => verifier(each).keyId)

describe('learnKeys', () => {
  it('follows a chain of hand-overs, whatever order they come in', async () => {
    const notes = [
      await signNote(checkpoint(third), [second, third]),
      await signNote(checkpoint(second), [first, second]),
      await signNote(checkpoint(), [third]),
    ]
    expect(learned(notes)).toEqual(idsOf(first, second, third))
  })

  it('believes no key that only put its signature beside ours', async () => {
    expect(learned([await signNote(checkpoint(), [first, thief])])).toEqual(idsOf(first))
  })

  it('believes no key that names itself, nor one that has not signed', async () => {
    const notes = [
      await signNote(checkpoint(thief), [thief]),
      await signNote(checkpoint(second), [first]),
    ]
    expect(learned(notes)).toEqual(idsOf(first))
  })

  it("believes no key of another log, nor another log's hand-over", async () => {
    const foreign = key('palisade.dev/audit/other')
    const notes = [
      await signNote(checkpoint(foreign), [first, foreign]),
      await signNote(checkpoint(thief, 'palisade.dev/audit/other'), [first, thief]),
    ]
    expect(learned(notes)).toEqual(idsOf(first))
  })
})

describe('successorIn', () => {
  it.each(['nonsense', `${LOG}+00000000+AAAA`])(
    'is nobody when the key reads %j',
    async (nextKey) => {
      const said = { ...parseLogCheckpoint(checkpoint()), nextKey }
      expect(successorIn(await signNote(checkpoint(), [first]), said)).toBeUndefined()
    },
  )
})
