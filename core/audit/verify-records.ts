import { isCut, type Cut } from './cuts.ts'
import type { AuditLog, LogRecord } from './export.ts'
import { place, type Finding } from './findings.ts'
import { leafHash } from './merkle.ts'
import { isAuthentic } from './record.ts'

/** A line that a replica printed after its commit. */
export interface WitnessLine {
  readonly id: string
  readonly leaf: Buffer
}

interface Expected {
  readonly leaf: Buffer
  readonly where: string
  readonly sealed: boolean
  /** Taken away after it was archived, so it may be missing. */
  readonly cut: boolean
}

export interface RecordChecks {
  readonly findings: readonly Finding[]
  /** Records whose MAC could be checked, and those whose key was not at hand. */
  readonly authenticated: number
  readonly withoutKey: number
}

/** Compares each record with what was sealed, is pending, or was seen by a witness; then with its own MAC. */
export function verifyRecords(
  log: AuditLog,
  witness: readonly WitnessLine[],
  macKeys: ReadonlyMap<string, Uint8Array>,
  cuts: readonly Cut[] = [],
): RecordChecks {
  const expected = expectations(log, witness, cuts)
  const records = new Map(log.records.map((record) => [record.id, record]))
  const findings: Finding[] = [...missing(expected, records)]
  const leaves = new Map<string, Buffer>()
  const changed: string[] = []
  let authenticated = 0
  let withoutKey = 0
  for (const record of log.records) {
    const leaf = leafHash(record.record)
    leaves.set(record.id, leaf)
    const wanted = expected.get(record.id)
    if (!wanted) {
      findings.push(unaccounted(record))
      continue
    }
    if (!wanted.leaf.equals(leaf)) {
      changed.push(record.id)
      continue
    }
    const secret = macKeys.get(record.key)
    if (!secret) withoutKey += 1
    else if (isAuthentic(record.record, record.mac, secret)) authenticated += 1
    else findings.push(forged(record, wanted))
  }
  findings.push(...nameChanges(changed, leaves, expected))
  findings.push(...contradictions(log, witness, expected))
  return { findings, authenticated, withoutKey }
}

/** A seal outranks the queue, and the queue a witness: each was written by somebody further away. */
function expectations(
  log: AuditLog,
  witness: readonly WitnessLine[],
  cuts: readonly Cut[],
): Map<string, Expected> {
  const expected = new Map<string, Expected>()
  for (const { id, leaf } of [...witness, ...log.pending]) {
    expected.set(id, { leaf, where: id, sealed: false, cut: false })
  }
  for (const { id, leaf, epoch, seq } of log.seals) {
    const cut = isCut(cuts, { epoch, seq })
    expected.set(id, { leaf, where: place(epoch, seq), sealed: true, cut })
  }
  return expected
}

function missing(
  expected: ReadonlyMap<string, Expected>,
  records: ReadonlyMap<string, LogRecord>,
): Finding[] {
  return [...expected]
    .filter(([id, { cut }]) => !cut && !records.has(id))
    .map(([id, { where, sealed }]) =>
      sealed
        ? { code: 'RecordDeleted', where, detail: `record ${id} is sealed and not there` }
        : { code: 'UnsealedDeleted', where, detail: `record ${id} was committed and is not there` },
    )
}

/** Two changed records that fit each other's place were swapped; any other was edited. */
function nameChanges(
  changed: readonly string[],
  leaves: ReadonlyMap<string, Buffer>,
  expected: ReadonlyMap<string, Expected>,
): Finding[] {
  const text = (leaf: Buffer | undefined) => leaf?.toString('hex') ?? ''
  const wantedBy = new Map(changed.map((id) => [text(expected.get(id)?.leaf), id]))
  const named = new Set<string>()
  const findings: Finding[] = []
  for (const id of changed) {
    if (named.has(id)) continue
    const other = wantedBy.get(text(leaves.get(id)))
    const where = expected.get(id)?.where ?? id
    const isSwap = other !== undefined && wantedBy.get(text(leaves.get(other))) === id
    if (isSwap) {
      named.add(other)
      const there = expected.get(other)?.where ?? other
      findings.push({
        code: 'RecordsSwapped',
        where: `${where} and ${there}`,
        detail: `the contents of records ${id} and ${other} were exchanged`,
      })
    } else {
      findings.push({
        code: 'RecordEdited',
        where,
        detail: `the bytes of record ${id} are not those that were committed`,
      })
    }
  }
  return findings
}

/** A record and its seal that agree with each other but not with the witness were changed together. */
function contradictions(
  log: AuditLog,
  witness: readonly WitnessLine[],
  expected: ReadonlyMap<string, Expected>,
): Finding[] {
  const present = new Set(log.records.map(({ id }) => id))
  return witness
    .filter(({ id }) => present.has(id) || expected.get(id)?.cut)
    .filter(({ id, leaf }) => expected.get(id)?.leaf.equals(leaf) === false)
    .map(({ id }) => ({
      code: 'RecordEdited',
      where: expected.get(id)?.where ?? id,
      detail: `record ${id} was changed before it was sealed: the witness saw other bytes`,
    }))
}

const forged = (record: LogRecord, { where }: Expected): Finding => ({
  code: 'RecordForged',
  where,
  detail: `the MAC of record ${record.id} is not one of key ${record.key}`,
})

const unaccounted = ({ id }: LogRecord): Finding => ({
  code: 'RecordUnaccounted',
  where: id,
  detail: `record ${id} was inserted past the log, or its seal was taken away`,
})
