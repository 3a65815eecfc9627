import type { CheckedLog, CheckedSeal } from './checked-log.ts'
import { isCut, type Cut } from './cuts.ts'
import { place, type Finding } from './findings.ts'

/** A line that a replica printed after its commit. */
export interface WitnessLine {
  readonly id: string
  readonly leaf: Uint8Array
}

const NOT_SEALED = -1

/**
 * What each record of a log has to be: as it was sealed, or as it waits. A witness says that a record was there, and
 * not that it has a place. Seals are found by number, since an object for each of a million costs more than its check.
 */
export class Expectations {
  readonly #seals: CheckedLog['seals']
  readonly #records: CheckedLog['records']
  /** Index of the seal of each record. */
  readonly #sealOf: Int32Array
  readonly #pending = new Map<string, Uint8Array>()
  /** Of the records that a witness saw and that were cut. */
  readonly #cutSeals = new Map<string, CheckedSeal>()
  readonly #missing: Finding[]

  constructor(
    { records, pending, seals }: CheckedLog,
    witness: readonly WitnessLine[],
    cuts: readonly Cut[],
  ) {
    this.#seals = seals
    this.#records = records
    for (const { id, leaf } of pending) this.#pending.set(id, leaf)
    const committed = new Set([...witness, ...pending].map(({ id }) => id))
    this.#sealOf = new Int32Array(records.length).fill(NOT_SEALED)
    const deleted = this.#readSeals(committed, cuts)
    const gone = [...committed].filter((id) => records.rowOf(id) === undefined)
    this.#missing = [
      ...gone.map((id): Finding => {
        const detail = `record ${id} was committed and is not there`
        return { code: 'UnsealedDeleted', where: id, detail }
      }),
      ...deleted,
    ]
  }

  /** @returns seals whose record is gone; what is sealed is taken out of `committed` */
  #readSeals(committed: Set<string>, cuts: readonly Cut[]): Finding[] {
    const deleted: Finding[] = []
    let index = 0
    for (const seal of this.#seals) {
      const { id } = seal
      const row = this.#records.rowOf(id)
      if (row !== undefined) this.#sealOf[row] = index
      else if (isCut(cuts, seal)) {
        if (committed.has(id)) this.#cutSeals.set(id, seal)
      } else {
        const detail = `record ${id} is sealed and not there`
        deleted.push({ code: 'RecordDeleted', where: place(seal.epoch, seal.seq), detail })
      }
      if (committed.size > 0) committed.delete(id)
      index += 1
    }
    return deleted
  }

  /** Records that are sealed, wait or were seen, and are not there. */
  missing(): Finding[] {
    return [...this.#missing]
  }

  /** @param row number of the record in the log; undefined when nothing speaks of it */
  leafOf(row: number): Uint8Array | undefined {
    return this.#sealAt(row)?.leaf ?? this.#waiting(row)
  }

  /** Tenant among whose records it is numbered; undefined while it has no place. */
  tenantOf(row: number): string | undefined {
    return this.#sealAt(row)?.tenant
  }

  /** Its place in the log, or its id while it has none. */
  whereOf(row: number): string {
    const seal = this.#sealAt(row)
    return seal ? place(seal.epoch, seal.seq) : this.#idAt(row)
  }

  #sealAt(row: number): CheckedSeal | undefined {
    const index = this.#sealOf[row] ?? NOT_SEALED
    return index === NOT_SEALED ? undefined : this.#seals.at(index)
  }

  /** Of two records with one id the first one is meant; the second has no place and shows as unaccounted. */
  #waiting(row: number): Uint8Array | undefined {
    const id = this.#idAt(row)
    return this.#records.rowOf(id) === row ? this.#pending.get(id) : undefined
  }

  #idAt(row: number): string {
    return this.#records.at(row)?.id ?? ''
  }

  /** What the log says of a record that is there or was cut. */
  find(id: string): { readonly leaf: Uint8Array; readonly where: string } | undefined {
    const row = this.#records.rowOf(id)
    const seal = row === undefined ? this.#cutSeals.get(id) : this.#sealAt(row)
    if (seal) return { leaf: seal.leaf, where: place(seal.epoch, seal.seq) }
    const leaf = row === undefined ? undefined : this.#pending.get(id)
    return leaf && { leaf, where: id }
  }
}
