import {
  checkBatch,
  checkRecord,
  checkSeal,
  type CheckedBatch,
  type CheckedLog,
  type CheckedPending,
  type CheckedSeal,
  type LineEvidence,
} from './checked-log.ts'
import { assertPackable } from './columns.ts'
import { parseLine, unreadable, type LogHeader, type LogRecord } from './export.ts'
import { packRecords, RecordColumns, type RecordBlock } from './record-columns.ts'
import { packSeals, SealColumns, type SealBlock } from './seal-columns.ts'
import type { CheckedRecord } from './rows.ts'
import { mayTell } from './telling-records.ts'

/** Whole lines of an export, checked one by one. Crosses threads as it is. */
export interface CheckedBlock {
  readonly lines: number
  readonly header: LogHeader | undefined
  readonly records: RecordBlock
  readonly told: readonly ToldRecord[]
  readonly pending: readonly CheckedPending[]
  readonly seals: SealBlock
  readonly batches: readonly CheckedBatch[]
  /** The first line that no exporter has written; nothing behind it was read. */
  readonly fault: { readonly line: number; readonly message: string } | undefined
}

/** A record that came from another thread: its bytes are a Buffer no more. */
type ToldRecord = Omit<LogRecord, 'record' | 'mac'> & Readonly<Record<'record' | 'mac', Uint8Array>>

const asRecord = ({ record, mac, ...rest }: ToldRecord): LogRecord => ({
  ...rest,
  record: Buffer.from(record),
  mac: Buffer.from(mac),
})

const NEWLINE = 10

/** @param bytes whole lines, UTF-8; the last newline may be missing */
export function readBlock(bytes: Buffer, evidence: LineEvidence): CheckedBlock {
  let header: LogHeader | undefined
  const records: CheckedRecord[] = []
  const told: LogRecord[] = []
  const pending: CheckedPending[] = []
  const seals: CheckedSeal[] = []
  const batches: CheckedBatch[] = []
  let fault: CheckedBlock['fault']
  let lines = 0
  for (let at = 0; at < bytes.length && !fault; lines += 1) {
    const newline = bytes.indexOf(NEWLINE, at)
    const end = newline < 0 ? bytes.length : newline
    try {
      const line = parseLine(bytes.toString('utf8', at, end))
      switch (line.type) {
        case 'header':
          header = line
          break
        case 'record':
          assertPackable(line)
          records.push(checkRecord(line, evidence))
          if (mayTell(line.record)) told.push(line)
          break
        case 'pending':
          assertPackable(line)
          pending.push({ id: line.id, leaf: line.leaf })
          break
        case 'seal':
          assertPackable(line)
          seals.push(checkSeal(line))
          break
        case 'batch':
          batches.push(checkBatch(line, evidence))
          break
      }
    } catch (error) {
      fault = { line: lines, message: (error as Error).message }
    }
    at = end + 1
  }
  return {
    lines,
    header,
    records: packRecords(records),
    told,
    pending,
    seals: packSeals(seals),
    batches,
    fault,
  }
}

/**
 * The log that consecutive blocks make, the same whatever their borders are.
 * @throws SyntaxError that names the first line that cannot be read
 */
export function joinBlocks(blocks: readonly CheckedBlock[]): CheckedLog {
  let before = 0
  for (const { lines, fault } of blocks) {
    if (fault) throw unreadable(before + fault.line, fault.message)
    before += lines
  }
  const header = blocks.findLast((block) => block.header)?.header
  if (!header) throw new SyntaxError('the first line of an export is its header')
  return {
    header,
    records: new RecordColumns(blocks.map(({ records }) => records)),
    told: blocks.flatMap(({ told }) => told.map(asRecord)),
    pending: blocks.flatMap(({ pending }) => pending),
    seals: new SealColumns(blocks.map(({ seals }) => seals)),
    batches: blocks
      .flatMap(({ batches }) => batches)
      .sort((a, b) => a.epoch - b.epoch || a.last - b.last),
  }
}
