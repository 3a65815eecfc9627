import { instantOf, secondOf } from './instant.ts'
import { RefusalReader } from './refusal.ts'

/** A piece of one container's log, each line with the kubelet's time before it, oldest first. */
export type ReadPiece = (sinceTime: string, limitBytes: number) => Promise<string>

export interface DatedRefusal {
  readonly role: string
  readonly address: string
  readonly at: bigint
}

const PIECE_BYTES = 512 * 1024
/** In one go; what is left is read in the next one. */
const MOST_PIECES = 4
const SECOND = 1_000_000_000n

/** Follows the log of one container from a moment on, in bounded pieces and without keeping a connection. */
export class LogTail {
  readonly #reader = new RefusalReader()
  /** Everything up to this moment has been read. */
  #readTo: bigint
  #lostAt: bigint | undefined

  constructor(from: bigint) {
    this.#readTo = from - 1n
  }

  /** The end of the last second that did not fit into a piece, so that nobody knows the rest of it. */
  get lostAt(): bigint | undefined {
    return this.#lostAt
  }

  /** False when there is more than one go may read. */
  async advance(read: ReadPiece, found: (refusal: DatedRefusal) => void): Promise<boolean> {
    for (let piece = 0; piece < MOST_PIECES; piece += 1) {
      const second = (this.#readTo + 1n) / SECOND
      const text = await read(secondOf(this.#readTo + 1n), PIECE_BYTES)
      const isWhole = Buffer.byteLength(text) < PIECE_BYTES
      this.#take(isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1), found)
      if (isWhole) return true
      // One second that fills a whole piece: the next request would answer the same again.
      if ((this.#readTo + 1n) / SECOND === second) {
        this.#readTo = (second + 1n) * SECOND - 1n
        this.#lostAt = this.#readTo
      }
    }
    return false
  }

  /** A piece begins with its whole first second, part of which the piece before has told. */
  #take(text: string, found: (refusal: DatedRefusal) => void): void {
    const told = this.#readTo
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ')
      const at = space < 0 ? undefined : instantOf(line.slice(0, space))
      if (at === undefined || at <= told) continue
      if (at > this.#readTo) this.#readTo = at
      const refusal = this.#reader.read(line.slice(space + 1))
      if (refusal) found({ ...refusal, at })
    }
  }
}
