import type { LogPending, LogRecord, LogSeal } from './export.ts'

/**
 * Rows column by column: a million of them as objects are most of a gigabyte that the collector walks again and again,
 * as columns a few buffers that it does not look into.
 */

/** A UUID as text, which is what the database's own type writes. */
export const ID_BYTES = 36
const HASH_BYTES = 32

/** @throws SyntaxError when an id, a hash or a number does not fit its column, which would shift what is behind it */
export function assertPackable(line: LogRecord | LogSeal | LogPending): void {
  if (!/^[0-9a-f-]{36}$/.test(line.id)) throw new SyntaxError('an id is a UUID')
  if (line.type === 'record') return
  if (line.leaf.length !== HASH_BYTES) throw new SyntaxError('a leaf has 32 bytes')
  if (line.type === 'pending') return
  if (![line.epoch, line.seq, line.tenantSeq].every(Number.isSafeInteger)) {
    throw new SyntaxError('a place is made of whole numbers')
  }
}

export const packIds = (rows: readonly { readonly id: string }[]): Uint8Array =>
  Buffer.from(rows.map(({ id }) => id).join(''), 'latin1')

export const idAt = (ids: Buffer, row: number): string =>
  ids.toString('latin1', row * ID_BYTES, (row + 1) * ID_BYTES)

export const hashAt = (hashes: Buffer, row: number): Uint8Array =>
  hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES)

export const countOf = (blocks: readonly { readonly count: number }[]): number =>
  blocks.reduce((total, { count }) => total + count, 0)

/** In memory of its own, so that a column can be read as numbers as well. */
export function joinBytes(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const all = Buffer.allocUnsafeSlow(parts.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function joinNumbers(parts: readonly Float64Array[], count: number): Float64Array {
  const all = new Float64Array(count)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
