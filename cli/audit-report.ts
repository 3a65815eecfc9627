import { FINDINGS, place, type Finding } from '#core/audit/findings'
import type { LostPart, Verification } from '#core/audit/verify'
import type { SegmentVerification } from '#core/audit/verify-segment'

const indented = (text: string) => `  ${text}`
const line = ({ code, where, detail }: Finding) =>
  `  ${code} at ${where}: ${FINDINGS[code]} (${detail})`

/** What `palisade audit verify` says of a log, line by line. */
export function report(result: Verification): string[] {
  const { counts, findings, losses, keys, proves, doesNotProve } = result
  return [
    result.ok ? 'The audit log holds.' : `The audit log is broken: ${findings.length} findings.`,
    `${counts.records} records, ${counts.sealed} sealed in ${counts.batches} batches, ${counts.unsealed} waiting`,
    ...findings.map(line),
    ...result.cuts.map(
      ({ epoch, first, last, at, by, archive, missing }) =>
        `  ${place(epoch, first, last)} were cut on ${at} by ${by}, archive sha256 ${archive}${missing === 0 ? '' : `: ${missing} records are not here`}`,
    ),
    ...losses.map(lossLine),
    ...keys.map(
      ({ key, from, to, batches }) => `  key ${key} signed ${from} to ${to}, ${batches} batches`,
    ),
    ...(result.ok ? ['This proves:', ...proves.map(indented)] : []),
    ...(doesNotProve.length > 0 ? ['It does not prove:'] : []),
    ...doesNotProve.map(indented),
  ]
}

/** What it says of an archive. */
export function reportSegment(result: SegmentVerification): string[] {
  const { segment, counts, findings, proves, doesNotProve } = result
  return [
    result.ok ? 'The archive holds.' : `The archive is broken: ${findings.length} findings.`,
    `${segment}: ${counts.records} records in ${counts.batches} batches, up to root ${result.root}`,
    ...findings.map(line),
    ...(result.ok ? ['This proves:', ...proves.map(indented)] : []),
    ...(doesNotProve.length > 0 ? ['It does not prove:'] : []),
    ...doesNotProve.map(indented),
  ]
}

/** A statement and no finding: what is gone, and who answers for it. */
function lossLine({ range, epoch, decision, missing }: LostPart): string {
  const who = decision
    ? `${decision.people.join(' and ')} opened epoch ${epoch} (${decision.reference})`
    : `epoch ${epoch} was opened, and the record that names the two people is not here`
  const seen = missing > 0 ? `; the witness saw ${missing} of its records` : ''
  return `  lost ${range} by restore: ${who}${seen}`
}
