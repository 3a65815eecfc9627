import type { CheckedSeal } from './checked-log.ts'
import { countOf, hashAt, idAt, joinBytes, joinNumbers, packIds } from './columns.ts'
import { NameColumn, packNames, type NameBlock } from './name-column.ts'
import type { Rows } from './rows.ts'

export interface SealBlock {
  readonly count: number
  readonly ids: Uint8Array
  readonly leaves: Uint8Array
  readonly numbering: Uint8Array
  readonly epochs: Float64Array
  readonly seqs: Float64Array
  readonly tenants: NameBlock
}

export const packSeals = (seals: readonly CheckedSeal[]): SealBlock => ({
  count: seals.length,
  ids: packIds(seals),
  leaves: Buffer.concat(seals.map(({ leaf }) => leaf)),
  numbering: Buffer.concat(seals.map(({ numbering }) => numbering)),
  epochs: Float64Array.from(seals, ({ epoch }) => epoch),
  seqs: Float64Array.from(seals, ({ seq }) => seq),
  tenants: packNames(seals.map(({ tenant }) => tenant)),
})

/** In order of (epoch, seq), whatever the order of the lines was. */
export class SealColumns implements Rows<CheckedSeal> {
  readonly length: number
  readonly ids: Buffer
  readonly leaves: Buffer
  readonly numbering: Buffer
  readonly epochs: Float64Array
  readonly seqs: Float64Array
  readonly tenants: NameColumn
  /** Undefined while the lines have the order already, as an exporter writes them. */
  readonly #order: Uint32Array | undefined

  constructor(blocks: readonly SealBlock[]) {
    this.length = countOf(blocks)
    this.ids = joinBytes(blocks.map(({ ids }) => ids))
    this.leaves = joinBytes(blocks.map(({ leaves }) => leaves))
    this.numbering = joinBytes(blocks.map(({ numbering }) => numbering))
    this.epochs = joinNumbers(
      blocks.map(({ epochs }) => epochs),
      this.length,
    )
    this.seqs = joinNumbers(
      blocks.map(({ seqs }) => seqs),
      this.length,
    )
    this.tenants = new NameColumn(blocks.map(({ tenants }) => tenants))
    this.#order = this.#isSorted() ? undefined : this.#sorted()
  }

  #compare(a: number, b: number): number {
    const [epochs, seqs] = [this.epochs, this.seqs]
    return (epochs[a] ?? 0) - (epochs[b] ?? 0) || (seqs[a] ?? 0) - (seqs[b] ?? 0)
  }

  #isSorted(): boolean {
    for (let i = 1; i < this.length; i += 1) if (this.#compare(i - 1, i) > 0) return false
    return true
  }

  #sorted(): Uint32Array {
    return Uint32Array.from({ length: this.length }, (_, i) => i).sort((a, b) =>
      this.#compare(a, b),
    )
  }

  at(index: number): CheckedSeal | undefined {
    const place = index < 0 ? index + this.length : index
    if (place < 0 || place >= this.length) return undefined
    return new SealRow(this, this.#order?.[place] ?? place)
  }

  *[Symbol.iterator](): Generator<CheckedSeal> {
    for (let i = 0; i < this.length; i += 1) yield this.at(i) as CheckedSeal
  }
}

/** Read when asked for: most passes want one or two of its members. */
class SealRow implements CheckedSeal {
  readonly #columns: SealColumns
  readonly #row: number

  constructor(columns: SealColumns, row: number) {
    this.#columns = columns
    this.#row = row
  }

  get epoch() {
    return this.#columns.epochs[this.#row] ?? 0
  }

  get seq() {
    return this.#columns.seqs[this.#row] ?? 0
  }

  get id() {
    return idAt(this.#columns.ids, this.#row)
  }

  get tenant() {
    return this.#columns.tenants.at(this.#row)
  }

  get leaf() {
    return hashAt(this.#columns.leaves, this.#row)
  }

  get numbering() {
    return hashAt(this.#columns.numbering, this.#row)
  }
}
