import { verifyArchives, withArchives } from './archives.ts'
import { checkLog, type CheckedLog } from './checked-log.ts'
import { coverage, type Coverage } from './coverage.ts'
import { isCut, sealedCuts, type Cut } from './cuts.ts'
import { verifyEpochs } from './epochs.ts'
import type { CutPart, Evidence, LostPart } from './evidence.ts'
import type { AuditLog } from './export.ts'
import { place, type Finding, type FindingCode } from './findings.ts'
import { verifyHandOvers } from './hand-overs.ts'
import { learnKeys } from './key-chain.ts'
import { explainLost } from './lost-records.ts'
import type { KeyUse } from './signing-keys.ts'
import { openOutside, sizesOf, verifyOutside } from './verify-outside.ts'
import { verifyRecords } from './verify-records.ts'
import { verifyTree } from './verify-tree.ts'

export type { Evidence, LostPart } from './evidence.ts'

export interface Verification extends Coverage {
  readonly ok: boolean
  readonly findings: readonly Finding[]
  readonly counts: {
    readonly records: number
    readonly sealed: number
    readonly unsealed: number
    readonly batches: number
  }
  /** Parts whose records were archived and taken away, by a sealed record of it. */
  readonly cuts: readonly CutPart[]
  /** What was lost by a restore and given up by two people: no tampering, and not there. */
  readonly losses: readonly LostPart[]
  /** Which key signed what. */
  readonly keys: readonly KeyUse[]
}

/** Verifies an exported log without database, gateway or network, and says what was not looked at for want of evidence. */
export const verifyLog = (log: AuditLog, evidence: Evidence): Verification =>
  verifyChecked(checkLog(log, evidence), evidence)

/** What is left to verify when each line was checked by itself. */
export function verifyChecked(live: CheckedLog, evidence: Evidence): Verification {
  const archives = evidence.archives ?? []
  // By what the log holds itself: records of cuts are never cut.
  const { accepted: cuts, refused } = sealedCuts(live.told, live, evidence.macKeys)
  const log = withArchives(live, cuts, archives, evidence)
  const notes = live.batches.flatMap(({ note }) => note ?? [])
  const known = learnKeys([...notes, ...evidence.checkpoints], evidence.verifiers)
  const archived = verifyArchives(live, cuts, archives, known)
  const outside = openOutside(evidence.checkpoints, known)
  const tree = verifyTree(log, evidence.verifiers, sizesOf(outside.checkpoints))
  const records = verifyRecords(log, evidence.witness, cuts)
  const isCut =
    tree.findings.some(({ code }) => code === 'TailCut') ||
    records.findings.some(({ code }) => code === 'RecordUnaccounted')
  const epochs = verifyEpochs(log)
  const ahead = verifyOutside(log, outside.checkpoints, tree.roots, isCut, epochs.losses)
  const explained = explainLost(log, records.findings, epochs.losses)
  const parts = partsOf(log, cuts)
  const losses = epochs.losses.map((loss, i) => ({ ...loss, missing: explained.missing[i] ?? 0 }))
  const findings = fold([
    ...outside.findings,
    ...tree.findings,
    ...verifyHandOvers(log, tree.handOvers),
    ...epochs.findings,
    ...ahead,
    ...explained.findings,
    ...archived,
    ...unproven(parts, refused),
  ])
  return {
    ok: findings.length === 0,
    findings,
    counts: {
      records: live.records.length,
      sealed: log.seals.length,
      unsealed: log.pending.length,
      batches: log.batches.length,
    },
    cuts: parts,
    losses,
    keys: tree.keys,
    ...coverage(evidence, tree.signatures, outside.checkpoints.length, records, {
      cuts: parts,
      losses,
    }),
  }
}

function partsOf({ records, seals }: CheckedLog, cuts: readonly Cut[]): CutPart[] {
  if (cuts.length === 0) return []
  const missing = cuts.map(() => 0)
  for (const seal of seals) {
    if (records.rowOf(seal.id) !== undefined) continue
    cuts.forEach((cut, i) => (missing[i] = (missing[i] ?? 0) + Number(isCut([cut], seal))))
  }
  return cuts.map((cut, i) => ({ ...cut, missing: missing[i] ?? 0 }))
}

/** Somebody took records away, and nothing shows that it was no theft: neither the MAC of who decided it nor a copy. */
function unproven(parts: readonly CutPart[], refused: readonly Cut[]): Finding[] {
  const finding = ({ epoch, first, last }: Cut, detail: string): Finding => ({
    code: 'CutUnproven',
    where: place(epoch, first, last),
    detail,
  })
  return [
    ...refused.map((cut) => finding(cut, 'its record is under a MAC key that was not given')),
    ...parts.flatMap((cut) =>
      cut.authenticated || cut.missing === 0
        ? []
        : finding(cut, 'give the MAC keys (--mac-keys) or the archives of all of it (--archive)'),
    ),
  ]
}

/** A lost tail explains the records that went with it or stayed without a place, and is named once. */
function fold(findings: readonly Finding[]): Finding[] {
  const lost =
    findings.findLast(({ code }) => code === 'TailCut') ??
    findings.find(({ code }) => code === 'RestoredDump')
  if (!lost) return [...findings]
  const count = (wanted: FindingCode) => findings.filter(({ code }) => code === wanted).length
  const left = count('RecordUnaccounted')
  const gone = count('UnsealedDeleted')
  const notes = [
    lost.detail,
    left > 0 && `${left} of its records are still there`,
    gone > 0 && `${gone} records that were committed are not there`,
  ].filter((note) => note !== false)
  const explained = new Set<FindingCode>([
    'TailCut',
    'RestoredDump',
    'RecordUnaccounted',
    'UnsealedDeleted',
  ])
  return [
    { ...lost, detail: notes.join('; ') },
    ...findings.filter(({ code }) => !explained.has(code)),
  ]
}
