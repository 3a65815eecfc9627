import type { AuditLog, LogBatch, LogHeader, LogRecord, LogSeal } from './export.ts'
import { isFiled } from './filing.ts'
import { handingOver } from './key-chain.ts'
import { leafHash } from './merkle.ts'
import { openNote, type NoteVerifier } from './note.ts'
import { placeBytes } from './numbering.ts'
import { isAuthentic } from './record.ts'
import { recordRows, type CheckedRecord, type RecordRows, type Rows } from './rows.ts'
import { mayTell } from './telling-records.ts'

/**
 * A log after everything that needs one line alone was looked at: hashes, MACs, signatures. What is left of a record
 * are its id and a few bytes, and lines can be looked at in any order and on several threads.
 */
export interface CheckedLog {
  readonly header: LogHeader
  readonly records: RecordRows
  /** Whole, because they may account for records that are not there. */
  readonly told: readonly LogRecord[]
  readonly pending: Rows<CheckedPending>
  /** In order of (epoch, seq). */
  readonly seals: Rows<CheckedSeal>
  /** In order of (epoch, last). */
  readonly batches: readonly CheckedBatch[]
}

export interface CheckedPending {
  readonly id: string
  readonly leaf: Uint8Array
}

export interface CheckedSeal {
  readonly epoch: number
  readonly seq: number
  readonly id: string
  readonly tenant: string
  readonly leaf: Uint8Array
  /** Leaf of the numbering tree: the hash of this seal's place. */
  readonly numbering: Uint8Array
}

export interface CheckedBatch {
  readonly epoch: number
  readonly first: number
  readonly last: number
  readonly root: Uint8Array
  readonly prevRoot: Uint8Array
  readonly frontier: readonly Uint8Array[]
  readonly numberingFrontier: readonly Uint8Array[]
  /** Text of the checkpoint when a key of this log signed it. */
  readonly signed: string | undefined
  /** Of the given keys that signed it. */
  readonly keyIds: readonly number[]
  /** The note itself, where another key than the given ones has to be looked at: theirs, or the one they hand over to. */
  readonly note: string | undefined
}

/** The part of the evidence that single lines are held against. */
export interface LineEvidence {
  /** Public keys of the log. */
  readonly verifiers: readonly NoteVerifier[]
  readonly macKeys: ReadonlyMap<string, Uint8Array>
}

export function checkRecord(line: LogRecord, { macKeys }: LineEvidence): CheckedRecord {
  const { id, key, tenant, record, mac } = line
  const secret = macKeys.get(key)
  const state = !secret ? 'unchecked' : isAuthentic(record, mac, secret) ? 'authentic' : 'forged'
  return { id, key, tenant, leaf: leafHash(record), mac: state, filed: isFiled(record, line) }
}

export const checkSeal = (seal: LogSeal): CheckedSeal => ({
  epoch: seal.epoch,
  seq: seal.seq,
  id: seal.id,
  tenant: seal.tenant,
  leaf: seal.leaf,
  numbering: leafHash(placeBytes(seal)),
})

export function checkBatch(batch: LogBatch, { verifiers }: LineEvidence): CheckedBatch {
  const { checkpoint } = batch
  const opened = openNote(checkpoint, verifiers)
  const isWanted = !opened || handingOver([checkpoint]).length > 0
  return {
    epoch: batch.epoch,
    first: batch.first,
    last: batch.last,
    root: batch.root,
    prevRoot: batch.prevRoot,
    frontier: batch.frontier,
    numberingFrontier: batch.numberingFrontier,
    signed: opened?.text,
    keyIds: opened?.keyIds ?? [],
    note: isWanted ? checkpoint : undefined,
  }
}

export const checkLog = (log: AuditLog, evidence: LineEvidence): CheckedLog => ({
  header: log.header,
  records: recordRows(log.records.map((record) => checkRecord(record, evidence))),
  told: log.records.filter(({ record }) => mayTell(record)),
  pending: log.pending,
  seals: log.seals.map(checkSeal),
  batches: log.batches.map((batch) => checkBatch(batch, evidence)),
})
