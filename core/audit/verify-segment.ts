import { place, type Finding } from './findings.ts'
import { checkLog } from './checked-log.ts'
import { TO } from './audience.ts'
import { rootOf } from './merkle.ts'
import type { NoteVerifier } from './note.ts'
import { placeOfSegment, startOf, type Segment } from './segment.ts'
import { verifyRecords } from './verify-records.ts'
import { verifyTree } from './verify-tree.ts'

export interface SegmentVerification {
  readonly ok: boolean
  readonly findings: readonly Finding[]
  /** `epoch/first..last`. */
  readonly segment: string
  /** Hex; what the next piece, or the log in the database, goes on from. */
  readonly root: string
  readonly counts: { readonly records: number; readonly batches: number }
  readonly proves: readonly string[]
  readonly doesNotProve: readonly string[]
}

/**
 * Verifies a piece by itself. Its batches are signed over the whole log up to their end, so the frontier that it begins
 * with can be no other than that of the pieces before it.
 */
export function verifySegment(
  { header, log }: Segment,
  verifiers: readonly NoteVerifier[],
  macKeys: ReadonlyMap<string, Uint8Array>,
): SegmentVerification {
  const checked = checkLog(log, { verifiers, macKeys })
  const tree = verifyTree(checked, verifiers, new Set(), startOf(header))
  const records = verifyRecords(checked, [])
  const findings = [...tree.findings, ...incomplete({ header, log }), ...records.findings]
  const isSigned = verifiers.length > 0
  const isWritten = records.authenticated > 0
  return {
    ok: findings.length === 0,
    findings,
    segment: placeOfSegment(header),
    root: (log.batches.at(-1)?.root ?? Buffer.from(rootOf(startOf(header).records))).toString(
      'hex',
    ),
    counts: { records: log.records.length, batches: log.batches.length },
    proves: [
      `${TO.everybody}: every record in it has the bytes and the place that the log gives it`,
      ...(isSigned
        ? [`${TO.keys}: ${tree.signatures} batches were signed by a key of this log`]
        : []),
      ...(isWritten
        ? [`${TO.macKeys}: ${records.authenticated} records carry the MAC of their writer`]
        : []),
    ],
    doesNotProve: [
      ...(isSigned ? [] : ['who signed the batches: no public key was given (--key)']),
      ...(isWritten ? [] : ['who wrote the records: no MAC key was given (--mac-keys)']),
    ],
  }
}

/** What is not between the two places that the first line names, or goes beyond them. */
function incomplete({ header, log }: Segment): Finding[] {
  const { epoch, first, last } = header
  const epochs = new Set([...log.seals, ...log.batches].map((line) => line.epoch))
  const begins = log.batches[0]?.first === first && log.seals[0]?.seq === first
  const ends = log.batches.at(-1)?.last === last && log.seals.at(-1)?.seq === last
  return begins && ends && epochs.size === 1 && epochs.has(epoch)
    ? []
    : [
        {
          code: 'ArchiveDiffers',
          where: place(epoch, first, last),
          detail: 'it does not hold what its first line names',
        },
      ]
}
