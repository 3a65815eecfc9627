/** Rows that need not be objects before they are read; every array is one. */
export interface Rows<Row> extends Iterable<Row> {
  readonly length: number
  at(index: number): Row | undefined
}

/** `unchecked` when the key that the record names was not given. */
export type MacState = 'authentic' | 'forged' | 'unchecked'

export interface CheckedRecord {
  readonly id: string
  /** Id of the MAC key that the record names. */
  readonly key: string
  /** Tenant that it lies under. */
  readonly tenant: string
  readonly leaf: Uint8Array
  readonly mac: MacState
  /** Whether its bytes name the id, key and tenant above. */
  readonly filed: boolean
}

export interface RecordRows extends Rows<CheckedRecord> {
  /** Of two records with one id, that of the first. */
  rowOf(id: string): number | undefined
}

export function recordRows(records: readonly CheckedRecord[]): RecordRows {
  const rows = new Map(records.map(({ id }, row) => [id, row] as const).reverse())
  return {
    length: records.length,
    at: (row) => records.at(row),
    rowOf: (id) => rows.get(id),
    [Symbol.iterator]: () => records[Symbol.iterator](),
  }
}

/** Those of `first`, then those of `then`. */
export const joinRows = (first: RecordRows, then: RecordRows): RecordRows => ({
  length: first.length + then.length,
  at: (row) => (row < first.length ? first.at(row) : then.at(row - first.length)),
  rowOf(id) {
    const behind = then.rowOf(id)
    return first.rowOf(id) ?? (behind === undefined ? undefined : first.length + behind)
  },
  *[Symbol.iterator]() {
    yield* first
    yield* then
  },
})
