import { countOf, hashAt, idAt, joinBytes, packIds } from './columns.ts'
import { IdIndex } from './id-index.ts'
import { NameColumn, packNames, type NameBlock } from './name-column.ts'
import type { CheckedRecord, MacState, RecordRows } from './rows.ts'

const MAC_STATES: readonly MacState[] = ['authentic', 'forged', 'unchecked']

export interface RecordBlock {
  readonly count: number
  readonly ids: Uint8Array
  readonly leaves: Uint8Array
  readonly macs: Uint8Array
  /** 1 where the bytes name what the record lies under. */
  readonly filed: Uint8Array
  readonly keys: NameBlock
  readonly tenants: NameBlock
}

export const packRecords = (records: readonly CheckedRecord[]): RecordBlock => ({
  count: records.length,
  ids: packIds(records),
  leaves: Buffer.concat(records.map(({ leaf }) => leaf)),
  macs: Uint8Array.from(records, ({ mac }) => MAC_STATES.indexOf(mac)),
  filed: Uint8Array.from(records, ({ filed }) => Number(filed)),
  keys: packNames(records.map(({ key }) => key)),
  tenants: packNames(records.map(({ tenant }) => tenant)),
})

export class RecordColumns implements RecordRows {
  readonly length: number
  readonly ids: Buffer<ArrayBuffer>
  readonly leaves: Buffer
  readonly macs: Buffer
  readonly filed: Buffer
  readonly keys: NameColumn
  readonly tenants: NameColumn
  readonly #index: IdIndex

  constructor(blocks: readonly RecordBlock[]) {
    this.length = countOf(blocks)
    this.ids = joinBytes(blocks.map(({ ids }) => ids))
    this.leaves = joinBytes(blocks.map(({ leaves }) => leaves))
    this.macs = joinBytes(blocks.map(({ macs }) => macs))
    this.filed = joinBytes(blocks.map(({ filed }) => filed))
    this.keys = new NameColumn(blocks.map(({ keys }) => keys))
    this.tenants = new NameColumn(blocks.map(({ tenants }) => tenants))
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
    return this.#columns.keys.at(this.#row)
  }

  get tenant() {
    return this.#columns.tenants.at(this.#row)
  }

  get filed() {
    return this.#columns.filed[this.#row] === 1
  }

  get leaf() {
    return hashAt(this.#columns.leaves, this.#row)
  }

  get mac() {
    return MAC_STATES[this.#columns.macs[this.#row] ?? 0] as MacState
  }
}
