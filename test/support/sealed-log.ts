import type {
  AuditLog,
  LogBatch,
  LogLine,
  LogPending,
  LogRecord,
  LogSeal,
} from '../../core/audit/export.ts'
import { logCheckpointText } from '../../core/audit/log-checkpoint.ts'
import { append, EMPTY_FRONTIER, EMPTY_ROOT, leafHash, rootOf } from '../../core/audit/merkle.ts'
import { signNote } from '../../core/audit/note.ts'
import { placeBytes } from '../../core/audit/numbering.ts'
import { signRecord } from '../../core/audit/record.ts'
import { segmentOf, type Segment } from '../../core/audit/segment.ts'
import { noteSigner } from './note-signer.ts'

/** A log in memory, sealed by a key of its own. */

const LOG = 'palisade.dev/audit/sealed-log'
const { signer, verifier } = noteSigner(LOG)
export const SIGNER = signer
export const VERIFIERS = [verifier]
export const MAC = { id: 'k', secret: Buffer.alloc(32, 3) }
export const MAC_KEYS = new Map([[MAC.id, MAC.secret]])

export const recordId = (seq: number): string =>
  `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`

export const recordOf = (seq: number, event: object = {}, tenant = 'a'): LogRecord => {
  const id = recordId(seq)
  const told = { id, tenant, macKey: MAC.id, eventType: 'secret.read', ...event }
  const { bytes, mac } = signRecord(told, MAC)
  return { type: 'record', id, tenant, key: MAC.id, record: bytes, mac }
}

/** @param ends where each batch ends; the record at `seq` is `records[seq - 1]`, and what lies behind the last end waits */
export async function sealedLog(
  records: readonly LogRecord[],
  ends: readonly number[],
): Promise<AuditLog> {
  const sealed = ends.at(-1) ?? 0
  const seals = sealsOf(records.slice(0, sealed))
  const pending = records
    .slice(sealed)
    .map(({ id, record }): LogPending => ({ type: 'pending', id, leaf: leafHash(record) }))
  const header = { type: 'header', format: 1, batchCounter: ends.length, exportedAt: '' } as const
  return { header, records, pending, seals, batches: await batchesOf(seals, ends) }
}

function sealsOf(records: readonly LogRecord[]): LogSeal[] {
  const counts = new Map<string, number>()
  return records.map(({ id, tenant, record }, i) => {
    const tenantSeq = (counts.get(tenant) ?? 0) + 1
    counts.set(tenant, tenantSeq)
    return { type: 'seal', epoch: 1, seq: i + 1, id, tenant, tenantSeq, leaf: leafHash(record) }
  })
}

async function batchesOf(seals: readonly LogSeal[], ends: readonly number[]): Promise<LogBatch[]> {
  const batches: LogBatch[] = []
  let [tree, numbers] = [EMPTY_FRONTIER, EMPTY_FRONTIER]
  let prevRoot = Buffer.from(EMPTY_ROOT)
  for (const [i, last] of ends.entries()) {
    const first = (ends[i - 1] ?? 0) + 1
    const own = seals.slice(first - 1, last)
    tree = append(
      tree,
      own.map(({ leaf }) => leaf),
    )
    numbers = append(
      numbers,
      own.map((seal) => leafHash(placeBytes(seal))),
    )
    const root = Buffer.from(rootOf(tree))
    const text = logCheckpointText({
      log: LOG,
      epoch: 1,
      size: last,
      root,
      numbering: rootOf(numbers),
      counter: i + 1,
    })
    batches.push({
      type: 'batch',
      epoch: 1,
      first,
      last,
      root,
      prevRoot,
      frontier: tree.nodes.map((node) => Buffer.from(node)),
      numberingFrontier: numbers.nodes.map((node) => Buffer.from(node)),
      checkpoint: await signNote(text, [signer]),
    })
    prevRoot = root
  }
  return batches
}

/** The archive of these places; `first` begins a batch and `last` ends one. */
export function archiveOf(log: AuditLog, first: number, last: number): Segment {
  const inside = (seq: number) => first <= seq && seq <= last
  const before = log.batches.find((batch) => batch.last === first - 1)
  const seals = log.seals.filter(({ seq }) => inside(seq))
  const ids = new Set(seals.map(({ id }) => id))
  const lines: LogLine[] = [
    ...log.batches.filter((batch) => inside(batch.last)),
    ...seals,
    ...log.records.filter(({ id }) => ids.has(id)),
  ]
  return segmentOf(
    {
      type: 'segment',
      format: 1,
      epoch: 1,
      first,
      last,
      frontier: before?.frontier ?? [],
      numberingFrontier: before?.numberingFrontier ?? [],
    },
    lines,
  )
}

export const rootAt = (log: AuditLog, last: number): string =>
  log.batches.find((batch) => batch.last === last)?.root.toString('hex') ?? ''
