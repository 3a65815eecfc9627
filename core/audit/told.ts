import type { CheckedLog, CheckedSeal } from './checked-log.ts'
import type { LogRecord } from './export.ts'
import { leafHash } from './merkle.ts'
import type { Rows } from './rows.ts'

/**
 * What the record at a place tells, as the event's members. `gone`: no record is there, which is found elsewhere.
 * `other`: there is one, and it tells of nothing that concerns the log.
 */
export function toldAt(
  { seals, records, told }: CheckedLog,
  epoch: number,
  seq: number,
): ToldEvent | 'other' | 'gone' {
  const seal = sealAt(seals, epoch, seq)
  if (!seal || records.rowOf(seal.id) === undefined) return 'gone'
  const record = told.find(({ id }) => id === seal.id)
  return (record && isSealed(record, seal) && parse(record.record)) || 'other'
}

export interface ToldEvent {
  readonly eventType?: unknown
  readonly time?: unknown
  readonly details?: Readonly<Record<string, unknown>>
}

const isSealed = ({ record }: LogRecord, { leaf }: CheckedSeal) =>
  Buffer.compare(leafHash(record), leaf) === 0

function parse(record: Buffer): ToldEvent | undefined {
  try {
    return JSON.parse(record.toString()) as ToldEvent
  } catch {
    return undefined
  }
}

/** Seals are in order of (epoch, seq), and there may be a million of them. */
export function sealAt(
  seals: Rows<CheckedSeal>,
  epoch: number,
  seq: number,
): CheckedSeal | undefined {
  let [low, high] = [0, seals.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const seal = seals.at(middle)
    if (!seal) return undefined
    if (seal.epoch < epoch || (seal.epoch === epoch && seal.seq < seq)) low = middle + 1
    else high = middle
  }
  const found = seals.at(low)
  return low < seals.length && found?.epoch === epoch && found.seq === seq ? found : undefined
}
