import { instantOf, secondOf } from './instant.ts'
import { RefusalReader } from './refusal.ts'
import { Sampling } from './sampling.ts'

/**
 * A piece of one container's log, each line with the kubelet's time before it, oldest first: from a second on, or from
 * the beginning. There is only the newest file to ask for, and none from before the container started.
 */
export type ReadPiece = (sinceTime: string | undefined, limitBytes: number) => Promise<string>

export interface DatedRefusal {
  readonly role: string
  readonly address: string
  readonly at: bigint
}

/** Why lines may be missing: a second too full to be read, a file that is gone, records that were never written. */
export type Gap = 'flooded' | 'cut' | 'sampled'

const PIECE_BYTES = 512 * 1024
/** Enough for the time of a line. */
const HEAD_BYTES = 64
/** In one go; what is left is read in the next one. */
const MOST_PIECES = 4
const SECOND = 1_000_000_000n
/** Of a gap whose end is not known yet. */
const NOT_ENDED = 1n << 64n

/** Follows the log of one container from a moment on, in bounded pieces and without keeping a connection. */
export class LogTail {
  readonly #reader = new RefusalReader()
  #sampling = new Sampling()
  /** Everything up to this moment has been read. */
  #readTo: bigint
  /** The time of the last line that was read: where it is not found again, the file is another one. */
  #anchor: bigint | undefined
  /** By kind the moment before which lines may be missing. */
  readonly #gaps = new Map<Gap, bigint>()

  constructor(from: bigint) {
    this.#readTo = from - 1n
  }

  /** Why something may be missing of what was written from a moment on; undefined when nothing is. */
  gapSince(since: bigint): Gap | undefined {
    for (const [gap, before] of this.#gaps) if (before > since) return gap
    return undefined
  }

  /** False when there is more than one go may read. */
  async advance(read: ReadPiece, found: (refusal: DatedRefusal) => void): Promise<boolean> {
    for (let piece = 0; piece < MOST_PIECES; piece += 1) {
      const from = this.#anchor ?? this.#readTo + 1n
      const text = await read(secondOf(from), PIECE_BYTES)
      const lines = datedLines(text)
      if (this.#anchor === undefined) await this.#lookBack(read, from)
      else if (!lines.some(({ at }) => at === from)) this.#beganAnew(lines[0]?.at)
      this.#take(lines, found)
      if (Buffer.byteLength(text) < PIECE_BYTES) return true
      // One second that fills a whole piece: the next request would answer the same again.
      const next = this.#anchor ?? this.#readTo + 1n
      if (next / SECOND === from / SECOND) this.#skip(from / SECOND)
    }
    return false
  }

  /** After the piece, not before: a file that now begins early enough did so when the piece was read. */
  async #lookBack(read: ReadPiece, from: bigint): Promise<void> {
    const head = await read(undefined, HEAD_BYTES)
    const begins = instantOf(head.slice(0, Math.max(0, head.indexOf(' '))))
    if (begins === undefined || begins > from) this.#beganAnew(begins)
    else this.#gaps.delete('cut')
  }

  #beganAnew(at: bigint | undefined): void {
    this.#gaps.set('cut', at ?? NOT_ENDED)
    // It may be another process, with another level.
    this.#sampling = new Sampling()
  }

  #skip(second: bigint): void {
    this.#readTo = (second + 1n) * SECOND - 1n
    this.#anchor = undefined
    this.#gaps.set('flooded', this.#readTo + 1n)
  }

  /** A piece begins with its whole first second, part of which the piece before has told. */
  #take(lines: readonly DatedLine[], found: (refusal: DatedRefusal) => void): void {
    const told = this.#readTo
    for (const { at, line } of lines) {
      if (at <= told) continue
      if (at > this.#readTo) this.#readTo = this.#anchor = at
      const loss = this.#sampling.lossAfter(line, at)
      if (loss !== undefined) this.#gaps.set('sampled', loss)
      const refusal = this.#reader.read(line)
      if (refusal) found({ ...refusal, at })
    }
    if (this.#sampling.isOff) this.#gaps.delete('sampled')
  }
}

interface DatedLine {
  readonly at: bigint
  readonly line: string
}

/** Without the last one while it is not whole: it was cut at the limit, or is still being written. */
function datedLines(text: string): readonly DatedLine[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((dated) => {
      const space = dated.indexOf(' ')
      const at = space < 0 ? undefined : instantOf(dated.slice(0, space))
      return at === undefined ? [] : [{ at, line: dated.slice(space + 1) }]
    })
}
