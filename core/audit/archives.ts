import { checkRecord, type CheckedLog, type LineEvidence } from './checked-log.ts'
import { isCut, type Cut } from './cuts.ts'
import { mayTell } from './telling-records.ts'
import type { LogRecord } from './export.ts'
import { place, type Finding } from './findings.ts'
import type { NoteVerifier } from './note.ts'
import { joinRows, recordRows } from './rows.ts'
import { placeOfSegment, type Segment } from './segment.ts'
import { verifySegment } from './verify-segment.ts'

/** A piece of the log that lies in the archive, and the SHA-256 (hex) of the file that holds it. */
export interface Archive {
  readonly segment: Segment
  readonly digest: string
}

/**
 * The log with the records that were cut put back from archives; what is in the database comes first. An archive fills
 * no place that no cut accounts for: a theft does not become none because a copy is left.
 */
export function withArchives(
  log: CheckedLog,
  cuts: readonly Cut[],
  archives: readonly Archive[],
  evidence: LineEvidence,
): CheckedLog {
  const copies = new Map<string, LogRecord>()
  for (const record of archives.flatMap(({ segment }) => segment.log.records)) {
    if (log.records.rowOf(record.id) === undefined && !copies.has(record.id)) {
      copies.set(record.id, record)
    }
  }
  if (copies.size === 0 || cuts.length === 0) return log
  const records: LogRecord[] = []
  for (const seal of log.seals) {
    const copy = copies.get(seal.id)
    if (!copy || !isCut(cuts, seal)) continue
    records.push(copy)
    copies.delete(seal.id)
  }
  return {
    ...log,
    records: joinRows(log.records, recordRows(records.map((one) => checkRecord(one, evidence)))),
    told: [...log.told, ...records.filter(({ record }) => mayTell(record))],
  }
}

/** Each archive by itself, against the log that it was taken from, and against the cut that names it. */
export function verifyArchives(
  log: CheckedLog,
  cuts: readonly Cut[],
  archives: readonly Archive[],
  verifiers: readonly NoteVerifier[],
): Finding[] {
  return archives.flatMap(({ segment, digest }): Finding[] => {
    const { epoch, first, last } = segment.header
    const where = placeOfSegment(segment.header)
    // MACs are checked once, with the records of the log.
    const { findings, root } = verifySegment(segment, verifiers, new Map())
    const own = log.batches.find((batch) => batch.epoch === epoch && batch.last === last)
    const cut = cuts.find((each) => each.epoch === epoch && each.first === first)
    const differs = (detail: string): Finding => ({ code: 'ArchiveDiffers', where, detail })
    return [
      ...findings.map((each) => ({ ...each, detail: `${each.detail}, in the archive` })),
      ...(own && Buffer.from(own.root).toString('hex') === root
        ? []
        : [differs(`the log has another root at ${place(epoch, last)}`)]),
      ...(cut && cut.last === last && cut.archive !== digest
        ? [differs(`the log was cut after an archive ${cut.archive}, this one is ${digest}`)]
        : []),
    ]
  })
}
