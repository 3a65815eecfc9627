/** An end of the log: how many records of an epoch, and the root of their tree. */
export interface LogEnd {
  readonly epoch: number
  readonly size: number
  readonly root: Uint8Array
}

/** Said by the first checkpoint of an epoch: what of the log was still there, and up to where it had been signed. */
export interface EpochOpening {
  readonly survives: LogEnd
  readonly lost: LogEnd
}

export const isBeyond = (a: Omit<LogEnd, 'root'>, b: Omit<LogEnd, 'root'>): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.size > b.size)

export const sameEnd = (a: LogEnd, b: LogEnd): boolean =>
  a.epoch === b.epoch && a.size === b.size && Buffer.compare(a.root, b.root) === 0

/** Whether a checkpoint is of the part that was given up: beyond what survived, and no further than what was named. */
export const isGivenUp = ({ survives, lost }: EpochOpening, end: LogEnd): boolean =>
  isBeyond(end, survives) && (isBeyond(lost, end) || sameEnd(lost, end))

/** `1/10411..10502`, or `1/81..2/50` where whole epochs went: how long the first of them was nobody knows. */
export const lostRange = ({ survives, lost }: EpochOpening): string => {
  const from = `${survives.epoch}/${survives.size + 1}`
  return survives.epoch === lost.epoch
    ? `${from}..${lost.size}`
    : `${from}..${lost.epoch}/${lost.size}`
}

const SURVIVES = 'survives'
const LOST = 'lost-to'

const line = (word: string, { epoch, size, root }: LogEnd) =>
  `${word} ${epoch} ${size} ${Buffer.from(root).toString('base64')}`

export const openingLines = ({ survives, lost }: EpochOpening): readonly string[] => [
  line(SURVIVES, survives),
  line(LOST, lost),
]

/** @throws SyntaxError for half of it, or for what gives nothing up */
export function readOpening(extensions: readonly string[]): EpochOpening | undefined {
  const [survives, lost] = [SURVIVES, LOST].map((word) => readEnd(word, extensions))
  if (!survives && !lost) return undefined
  if (!survives || !lost || !isBeyond(lost, survives)) {
    throw new SyntaxError('this is no opening of an epoch')
  }
  return { survives, lost }
}

function readEnd(word: string, extensions: readonly string[]): LogEnd | undefined {
  const found = extensions.find((each) => each.startsWith(`${word} `))
  if (found === undefined) return undefined
  const [, epoch, size, root] = /^\S+ ([1-9][0-9]{0,8}) ([0-9]{1,16}) (\S+)$/.exec(found) ?? []
  const hash = Buffer.from(root ?? '', 'base64')
  if (hash.length !== 32) throw new SyntaxError('this is no opening of an epoch')
  return { epoch: Number(epoch), size: Number(size), root: hash }
}
