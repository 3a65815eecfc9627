import { randomBytes } from 'node:crypto'
import { ID_BYTES } from './columns.ts'

const WORDS = ID_BYTES / 4
const NOBODY = -1

/**
 * Finds the row of an id in a column of ids: an open hash table of row numbers, four bytes for each of at most half of
 * its places. The multipliers are drawn anew each time, so that nobody can choose ids that all want one place.
 */
export class IdIndex {
  readonly #words: Int32Array
  readonly #rows: Int32Array
  readonly #shift: number
  readonly #multipliers = new Int32Array(new Uint8Array(randomBytes(ID_BYTES)).buffer)
  readonly #wanted = Buffer.allocUnsafeSlow(ID_BYTES)
  readonly #wantedWords = new Int32Array(this.#wanted.buffer)

  /** @param ids of 36 bytes each; of two that are the same the first one is found */
  constructor(ids: Buffer<ArrayBuffer>) {
    const count = ids.length / ID_BYTES
    const bits = Math.max(4, Math.ceil(Math.log2(count + 1)) + 1)
    this.#words = new Int32Array(ids.buffer, ids.byteOffset, count * WORDS)
    this.#rows = new Int32Array(2 ** bits).fill(NOBODY)
    this.#shift = 32 - bits
    for (let row = 0; row < count; row += 1) {
      const place = this.#placeOf(this.#words, row)
      if (this.#rows[place] === NOBODY) this.#rows[place] = row
    }
  }

  rowOf(id: string): number | undefined {
    if (id.length !== ID_BYTES) return undefined
    this.#wanted.write(id, 'latin1')
    const row = this.#rows[this.#placeOf(this.#wantedWords, 0)] ?? NOBODY
    return row === NOBODY ? undefined : row
  }

  /** Where this id stands, or would. */
  #placeOf(words: Int32Array, row: number): number {
    const mask = this.#rows.length - 1
    let place = this.#hash(words, row * WORDS)
    for (;;) {
      const there = this.#rows[place] ?? NOBODY
      if (there === NOBODY || this.#isSame(words, row * WORDS, there * WORDS)) return place
      place = (place + 1) & mask
    }
  }

  /** Multilinear: the high bits of the sum of each word times a number of its own. */
  #hash(words: Int32Array, from: number): number {
    let sum = 0
    for (let i = 0; i < WORDS; i += 1) {
      sum = (sum + Math.imul(words[from + i] ?? 0, (this.#multipliers[i] ?? 0) | 1)) | 0
    }
    return (sum ^ (sum >>> 15)) >>> this.#shift
  }

  #isSame(words: Int32Array, from: number, there: number): boolean {
    for (let i = 0; i < WORDS; i += 1) {
      if (words[from + i] !== this.#words[there + i]) return false
    }
    return true
  }
}
