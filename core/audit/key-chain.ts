import { parseLogCheckpoint, type LogCheckpoint } from './log-checkpoint.ts'
import { openNote, parseVerifier, type NoteVerifier } from './note.ts'

/** Which key signed what: trust begins with the keys given and goes on by checkpoints that two keys signed. */

/**
 * The key that a checkpoint hands over to: it is named in what the old key signed, is of the same log, and has signed
 * that checkpoint as well.
 */
export function successorIn(
  note: string,
  { log, nextKey }: LogCheckpoint,
): NoteVerifier | undefined {
  if (nextKey === undefined) return undefined
  try {
    const next = parseVerifier(nextKey)
    return next.name === log && openNote(note, [next]) ? next : undefined
  } catch {
    return undefined
  }
}

/** Of these checkpoints the ones with which a key may hand over. */
export const handingOver = (notes: readonly string[]): string[] =>
  notes.filter((note) => note.includes('\nnext-key '))

/** All keys that follow from the given ones by these checkpoints, in any order; the given ones come first. */
export function learnKeys(
  notes: readonly string[],
  given: readonly NoteVerifier[],
): readonly NoteVerifier[] {
  const handing = handingOver(notes)
  const known = [...given]
  for (let learned = true; learned;) {
    learned = false
    for (const note of handing) {
      const opened = openNote(note, known)
      const said = opened && parseLogCheckpoint(opened.text)
      const next = said && isOf(said.log, known) ? successorIn(note, said) : undefined
      if (!next || known.some(({ keyId, name }) => keyId === next.keyId && name === next.name)) {
        continue
      }
      known.push(next)
      learned = true
    }
  }
  return known
}

/** A key that signs several logs must not lend one log's checkpoint to another. */
export const isOf = (log: string, keys: readonly NoteVerifier[]): boolean =>
  keys.some(({ name }) => name === log)

export const keyIdText = (keyId: number): string => keyId.toString(16).padStart(8, '0')
