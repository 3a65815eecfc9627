import { describe, expect, it } from 'vitest'
import { noteSigner } from '../../test/support/note-signer.ts'
import { checkpointText, openNote, parseCheckpoint, parseVerifier, signNote } from './note.ts'

// The example of Go's sumdb/note, from which the C2SP format comes.
const NEUMANN = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`

describe('openNote', () => {
  it('opens the reference note with the reference key', () => {
    const opened = openNote(NOTE, [parseVerifier(NEUMANN)])
    expect(opened?.signedBy).toEqual(['PeterNeumann'])
    expect(opened?.text).toMatch(/your problem is\.\n$/)
  })

  it('refuses a note whose text was changed by one letter', () => {
    expect(openNote(NOTE.replace('answer', 'Answer'), [parseVerifier(NEUMANN)])).toBeUndefined()
  })

  it('refuses a note that only unknown keys signed', () => {
    expect(openNote(NOTE, [noteSigner('PeterNeumann').verifier])).toBeUndefined()
  })

  it('names each known key of a note that two signed, as at a rotation of the key', async () => {
    const [old, next] = [noteSigner('log'), noteSigner('log')]
    const note = await signNote('text\n', [old.signer, next.signer])
    expect(openNote(note, [old.verifier, next.verifier])?.signedBy).toEqual(['log', 'log'])
  })
})

describe('parseVerifier', () => {
  it('refuses a key id that is not the one of its key', () => {
    expect(() => parseVerifier(NEUMANN.replace('c74f20a3', 'c74f20a4'))).toThrow(/key id/)
  })
})

describe('parseCheckpoint', () => {
  it('gives back what checkpointText wrote, extensions included', () => {
    const checkpoint = {
      origin: 'palisade.dev/audit/test/epoch-1',
      size: 12,
      root: Buffer.alloc(32, 7),
      extensions: ['counter 4'],
    }
    expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint)
  })

  it.each(['', 'origin\n', 'origin\n01\nAAAA\n', `origin\n-1\n${'A'.repeat(43)}=\n`])(
    'refuses %j',
    (text) => expect(() => parseCheckpoint(text)).toThrow(SyntaxError),
  )
})
