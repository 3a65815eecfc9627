import type { HistoryProof, RecordsProof } from '#api/audit-proof'
import type { AuditLog, LogRecord, LogSeal } from './export.ts'
import { handingOver } from './key-chain.ts'
import { MerkleTree } from './merkle-tree.ts'
import { leafHash } from './merkle.ts'
import { placeBytes, type Place } from './numbering.ts'

/** Why no proof can be given: the log does not hold what was asked for. */
export class NoProof extends Error {
  override readonly name = 'NoProof'
}

/** @throws NoProof when a record is unknown or waits to be sealed */
export function proveRecords(log: AuditLog, ids: readonly string[]): RecordsProof {
  const seals = new Map(log.seals.map((seal) => [seal.id, seal]))
  return proofOf(
    log,
    ids.map((id) => {
      const seal = seals.get(id)
      if (seal) return seal
      const waits = log.pending.some((pending) => pending.id === id)
      throw new NoProof(`record ${id} ${waits ? 'is not sealed yet' : 'is not in this log'}`)
    }),
  )
}

/** Every record of a tenant: the numbers go from 1 to the last without a gap, which the proof shows. */
export function proveTenant(log: AuditLog, tenant: string): RecordsProof {
  const seals = log.seals.filter((seal) => seal.tenant === tenant)
  if (seals.length === 0) throw new NoProof(`the log holds no sealed record of tenant ${tenant}`)
  return { ...proofOf(log, seals), allOf: tenant }
}

function proofOf(log: AuditLog, seals: readonly LogSeal[]): RecordsProof {
  const records = new Map(log.records.map((record) => [record.id, record]))
  const epochs = new Map(
    [...new Set(seals.map(({ epoch }) => epoch))].map((e) => [e, trees(log, e)]),
  )
  return {
    type: 'palisade-audit-records',
    format: 1,
    checkpoints: [...epochs.values()].map(({ checkpoint }) => checkpoint),
    ...handOversOf(log),
    records: seals.map((seal) => {
      const epoch = epochs.get(seal.epoch) as EpochTrees
      return {
        place: placeOf(seal),
        record: bytesOf(records.get(seal.id), seal).toString('base64'),
        inclusion: epoch.records.inclusionProof(seal.seq - 1).map(base64),
        numbering: epoch.numbering.inclusionProof(seal.seq - 1).map(base64),
      }
    }),
  }
}

function handOversOf({ batches }: AuditLog): { handOvers?: string[] } {
  const handOvers = handingOver(batches.map(({ checkpoint }) => checkpoint))
  return handOvers.length === 0 ? {} : { handOvers }
}

interface EpochTrees {
  readonly records: MerkleTree
  readonly numbering: MerkleTree
  readonly checkpoint: string
}

/** Up to the last batch, since only what is below a checkpoint is signed. */
function trees(log: AuditLog, epoch: number): EpochTrees {
  const batch = log.batches.findLast((each) => each.epoch === epoch)
  const seals = log.seals.filter((seal) => seal.epoch === epoch)
  if (batch?.last !== seals.length || seals.at(-1)?.seq !== batch.last) {
    throw new NoProof(
      `epoch ${epoch} of this log is incomplete; "palisade audit verify" says where`,
    )
  }
  return {
    records: new MerkleTree(seals.map(({ leaf }) => leaf)),
    numbering: new MerkleTree(seals.map((seal) => leafHash(placeBytes(seal)))),
    checkpoint: batch.checkpoint,
  }
}

function bytesOf(record: LogRecord | undefined, { id, leaf }: LogSeal): Buffer {
  if (record && leafHash(record.record).equals(leaf)) return record.record
  if (!record) {
    throw new NoProof(
      `record ${id} is sealed and not there; if it was cut, name its archive (--archive)`,
    )
  }
  throw new NoProof(`record ${id} is not the one that was sealed; "palisade audit verify" says why`)
}

/** @throws NoProof when the older size lies beyond the log */
export function proveHistory(
  log: AuditLog,
  older: { readonly note: string; readonly epoch: number; readonly size: number },
): HistoryProof {
  const { records, checkpoint } = trees(log, older.epoch)
  if (older.size > records.size) {
    throw new NoProof(
      `epoch ${older.epoch} of this log has ${records.size} records, the older checkpoint ${older.size}`,
    )
  }
  return {
    type: 'palisade-audit-history',
    format: 1,
    older: older.note,
    newer: checkpoint,
    ...handOversOf(log),
    consistency: records.consistencyProof(older.size).map(base64),
  }
}

const placeOf = ({ epoch, seq, tenant, tenantSeq }: LogSeal): Place => ({
  epoch,
  seq,
  tenant,
  tenantSeq,
})

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
