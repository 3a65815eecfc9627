import { countOf, hashAt, idAt, joinBytes, packIds } from './columns.ts'
import { IdIndex } from './id-index.ts'
import type { CheckedRecord, MacState, RecordRows } from './rows.ts'

const MAC_STATES: readonly MacState[] = ['authentic', 'forged', 'unchecked']

export interface RecordBlock {
  readonly count: number
  readonly ids: Uint8Array
  readonly leaves: Uint8Array
  readonly macs: Uint8Array
  /** Number of each record's key among the names. */
  readonly keys: Uint32Array
  readonly keyNames: readonly string[]
}

export function packRecords(records: readonly CheckedRecord[]): RecordBlock {
  const names = new Map<string, number>()
  const keys = records.map(({ key }) => numberOf(names, key))
  return {
    count: records.length,
    ids: packIds(records),
    leaves: Buffer.concat(records.map(({ leaf }) => leaf)),
    macs: Uint8Array.from(records, ({ mac }) => MAC_STATES.indexOf(mac)),
    keys: Uint32Array.from(keys),
    keyNames: [...names.keys()],
  }
}

function numberOf(names: Map<string, number>, name: string): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}

export class RecordColumns implements RecordRows {
  readonly length: number
  readonly ids: Buffer<ArrayBuffer>
  readonly leaves: Buffer
  readonly macs: Buffer
  readonly keys: Uint32Array
  readonly keyNames: readonly string[]
  readonly #index: IdIndex

  constructor(blocks: readonly RecordBlock[]) {
    this.length = countOf(blocks)
    this.ids = joinBytes(blocks.map(({ ids }) => ids))
    this.leaves = joinBytes(blocks.map(({ leaves }) => leaves))
    this.macs = joinBytes(blocks.map(({ macs }) => macs))
    this.keys = new Uint32Array(this.length)
    const all = new Map<string, number>()
    let row = 0
    for (const { keys, keyNames } of blocks) {
      const numbers = keyNames.map((name) => numberOf(all, name))
      for (const key of keys) this.keys[row++] = numbers[key] ?? 0
    }
    this.keyNames = [...all.keys()]
    this.#index = new IdIndex(this.ids)
  }

  at(row: number): CheckedRecord | undefined {
    return row < 0 || row >= this.length ? undefined : new RecordRow(this, row)
  }

  rowOf(id: string): number | undefined {
    return this.#index.rowOf(id)
  }

  *[Symbol.iterator](): Generator<CheckedRecord> {
    for (let row = 0; row < this.length; row += 1) yield this.at(row) as CheckedRecord
  }
}

/** Read when asked for: a pass that finds nothing wants no id. */
class RecordRow implements CheckedRecord {
  readonly #columns: RecordColumns
  readonly #row: number

  constructor(columns: RecordColumns, row: number) {
    this.#columns = columns
    this.#row = row
  }

  get id() {
    return idAt(this.#columns.ids, this.#row)
  }

  get key() {
    return this.#columns.keyNames[this.#columns.keys[this.#row] ?? 0] ?? ''
  }

  get leaf() {
    return hashAt(this.#columns.leaves, this.#row)
  }

  get mac() {
    return MAC_STATES[this.#columns.macs[this.#row] ?? 0] as MacState
  }
}
