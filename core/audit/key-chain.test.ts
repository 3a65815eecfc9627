import { describe, expect, it } from 'vitest'
import { noteSigner, type LogKey } from '../../test/support/note-signer.ts'
import { learnKeys, successorIn } from './key-chain.ts'
import { logCheckpointText, parseLogCheckpoint } from './log-checkpoint.ts'
import { signNote } from './note.ts'

const LOG = 'palisade.dev/audit/chain'

const checkpoint = (next?: LogKey, log = LOG) =>
  logCheckpointText({
    ...{ log, epoch: 1, size: 3, root: Buffer.alloc(32, 1), numbering: Buffer.alloc(32, 2) },
    counter: 1,
    ...(next ? { nextKey: next.text } : {}),
  })
const key = () => noteSigner(LOG)
const [first, second, third, thief] = [key(), key(), key(), key()]
const signed = (text: string, ...keys: LogKey[]) =>
  signNote(
    text,
    keys.map(({ signer }) => signer),
  )
const learned = (notes: readonly string[]) =>
  learnKeys(notes, [first.verifier]).map(({ keyId }) => keyId)
const idsOf = (...keys: LogKey[]) => keys.map(({ verifier }) => verifier.keyId)

describe('learnKeys', () => {
  it('follows a chain of hand-overs, whatever order they come in', async () => {
    const notes = [
      await signed(checkpoint(third), second, third),
      await signed(checkpoint(second), first, second),
      await signed(checkpoint(), third),
    ]
    expect(learned(notes)).toEqual(idsOf(first, second, third))
  })

  it('believes no key that only put its signature beside ours', async () => {
    expect(learned([await signed(checkpoint(), first, thief)])).toEqual(idsOf(first))
  })

  it('believes no key that names itself, nor one that has not signed', async () => {
    const notes = [await signed(checkpoint(thief), thief), await signed(checkpoint(second), first)]
    expect(learned(notes)).toEqual(idsOf(first))
  })

  it("believes no key of another log, nor another log's hand-over", async () => {
    const foreign = noteSigner('palisade.dev/audit/other')
    const notes = [
      await signed(checkpoint(foreign), first, foreign),
      await signed(checkpoint(thief, 'palisade.dev/audit/other'), first, thief),
    ]
    expect(learned(notes)).toEqual(idsOf(first))
  })
})

describe('successorIn', () => {
  it.each(['nonsense', `${LOG}+00000000+AAAA`])(
    'is nobody when the key reads %j',
    async (nextKey) => {
      const said = { ...parseLogCheckpoint(checkpoint()), nextKey }
      expect(successorIn(await signed(checkpoint(), first), said)).toBeUndefined()
    },
  )
})
