import type { CheckedSeal } from './checked-log.ts'
import type { Rows } from './rows.ts'

/** Goes through one epoch's seals once, forwards, so that no second copy of them is needed. */
export class SealCursor implements Iterable<CheckedSeal> {
  readonly #seals: Rows<CheckedSeal>
  readonly #end: number
  #next: number

  /** @param from index of the epoch's first seal; `to` of the first one behind it */
  constructor(seals: Rows<CheckedSeal>, from: number, to: number) {
    this.#seals = seals
    this.#next = from
    this.#end = to
  }

  *[Symbol.iterator](): Generator<CheckedSeal> {
    for (; this.#next < this.#end; this.#next += 1) yield this.#seals.at(this.#next) as CheckedSeal
  }

  /** Seals `first` to `last`; undefined when one of them is missing. Ranges are asked for in ascending order. */
  range(first: number, last: number): readonly CheckedSeal[] | undefined {
    const found: CheckedSeal[] = []
    let wanted = first
    for (; this.#next < this.#end && wanted <= last; this.#next += 1) {
      const seal = this.#seals.at(this.#next) as CheckedSeal
      if (seal.seq > wanted) return undefined // left for the range that it belongs to
      if (seal.seq < wanted) continue // of a range that was not complete, or a second one of its place
      found.push(seal)
      wanted += 1
    }
    return wanted > last ? found : undefined
  }
}
