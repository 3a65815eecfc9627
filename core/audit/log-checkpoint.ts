import { openingLines, readOpening, type EpochOpening } from './epoch-opening.ts'
import { checkpointText, parseCheckpoint } from './note.ts'

/** What a checkpoint of this log says beyond C2SP's three lines: epoch, root of the numbering, count of batches. */
export interface LogCheckpoint {
  readonly log: string
  readonly epoch: number
  readonly size: number
  readonly root: Uint8Array
  readonly numbering: Uint8Array
  readonly counter: number
  /** In the first checkpoint of an epoch that goes on after a restore. */
  readonly opening?: EpochOpening
  /** The key (text form of a verifier) that signs from the next checkpoint on; this one is signed by both. */
  readonly nextKey?: string
}

/** Each epoch is a log of its own, since a restored database starts another tree from an earlier leaf. */
export const originOf = (log: string, epoch: number): string => `${log}/epoch-${epoch}`

export function logCheckpointText(c: LogCheckpoint): string {
  return checkpointText({
    origin: originOf(c.log, c.epoch),
    size: c.size,
    root: c.root,
    extensions: [
      `numbering ${Buffer.from(c.numbering).toString('base64')}`,
      `counter ${String(c.counter)}`,
      ...(c.opening ? openingLines(c.opening) : []),
      ...(c.nextKey === undefined ? [] : [`next-key ${c.nextKey}`]),
    ],
  })
}

export function parseLogCheckpoint(text: string): LogCheckpoint {
  const { origin, size, root, extensions } = parseCheckpoint(text)
  const [, log, epoch] = /^(.+)\/epoch-([1-9][0-9]{0,8})$/.exec(origin) ?? []
  const value = (word: string) =>
    extensions.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? ''
  const numbering = Buffer.from(value('numbering'), 'base64')
  const counter = Number(value('counter'))
  if (!log || numbering.length !== 32 || !Number.isSafeInteger(counter)) {
    throw new SyntaxError('this is no checkpoint of an audit log of Palisade')
  }
  const opening = readOpening(extensions)
  const nextKey = value('next-key')
  return {
    ...{ log, epoch: Number(epoch), size, root, numbering, counter },
    ...(opening ? { opening } : {}),
    ...(nextKey === '' ? {} : { nextKey }),
  }
}
