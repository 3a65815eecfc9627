import type { AuditLog, LogBatch, LogPending, LogRecord, LogSeal } from '../../core/audit/export.ts'
import { logCheckpointText } from '../../core/audit/log-checkpoint.ts'
import { append, EMPTY_FRONTIER, EMPTY_ROOT, leafHash, rootOf } from '../../core/audit/merkle.ts'
import { signNote } from '../../core/audit/note.ts'
import { placeBytes } from '../../core/audit/numbering.ts'
import { signRecord } from '../../core/audit/record.ts'
import type { Evidence } from '../../core/audit/verify.ts'
import { noteSigner } from './note-signer.ts'

const LOG = 'palisade.dev/audit/test'
const MAC_KEY = { id: 'test-key', secret: Buffer.alloc(32, 9) }
const { signer, verifier } = noteSigner(LOG)

/** Of the record with this number, from 1. */
export const recordId = (number: number): string =>
  `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`

const tenantId = (number: number) => `02900000-0000-7000-8000-${String(number).padStart(12, '0')}`

export interface SealedLog {
  readonly log: AuditLog
  readonly evidence: Evidence
}

/** A log of two tenants in batches that end where told, with `waiting` records behind them, and all that proves it. */
export async function sealedLog(ends: readonly number[], waiting = 0): Promise<SealedLog> {
  const sealed = ends.at(-1) ?? 0
  const records: LogRecord[] = []
  const seals: LogSeal[] = []
  const pending: LogPending[] = []
  for (let seq = 1; seq <= sealed + waiting; seq += 1) {
    const [id, tenant] = [recordId(seq), tenantId(seq % 2)]
    const { bytes, mac, leaf } = signRecord({ id, tenant, macKey: MAC_KEY.id }, MAC_KEY)
    records.push({ type: 'record', id, tenant, key: MAC_KEY.id, record: bytes, mac })
    const tenantSeq = Math.ceil(seq / 2)
    if (seq <= sealed) seals.push({ type: 'seal', epoch: 1, seq, id, tenant, tenantSeq, leaf })
    else pending.push({ type: 'pending', id, leaf })
  }
  const batches: LogBatch[] = []
  for (const last of ends) batches.push(await batchTo(seals.slice(0, last), batches))
  const header = {
    type: 'header',
    format: 1,
    batchCounter: ends.length,
    exportedAt: 'now',
  } as const
  return {
    log: { header, records, pending, seals, batches },
    evidence: {
      verifiers: [verifier],
      checkpoints: batches.slice(-1).map(({ checkpoint }) => checkpoint),
      witness: [...seals, ...pending].map(({ id, leaf }) => ({ id, leaf })),
      macKeys: new Map([[MAC_KEY.id, MAC_KEY.secret]]),
    },
  }
}

async function batchTo(seals: readonly LogSeal[], before: readonly LogBatch[]): Promise<LogBatch> {
  const leaves = seals.map(({ leaf }) => leaf)
  const places = seals.map((seal) => leafHash(placeBytes(seal)))
  const [tree, numbers] = [append(EMPTY_FRONTIER, leaves), append(EMPTY_FRONTIER, places)]
  const [size, root, numbering] = [seals.length, rootOf(tree), rootOf(numbers)]
  const counter = before.length + 1
  const text = logCheckpointText({ log: LOG, epoch: 1, size, root, numbering, counter })
  return {
    type: 'batch',
    epoch: 1,
    first: (before.at(-1)?.last ?? 0) + 1,
    last: size,
    root: Buffer.from(root),
    prevRoot: Buffer.from(before.at(-1)?.root ?? EMPTY_ROOT),
    frontier: tree.nodes.map((node) => Buffer.from(node)),
    numberingFrontier: numbers.nodes.map((node) => Buffer.from(node)),
    checkpoint: await signNote(text, [signer]),
  }
}
