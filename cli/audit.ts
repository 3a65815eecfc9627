import { FINDINGS, place, type Finding } from '#core/audit/findings'
import { verifyChecked, type LostPart, type Verification } from '#core/audit/verify'
import { verifySegment, type SegmentVerification } from '#core/audit/verify-segment'
import { readEvidence } from './audit-evidence.ts'
import { readChecked } from './audit-log.ts'
import { isArchive, readArchive } from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { printable, printableJson } from './printable.ts'

/** The log does not hold: told apart from a command that could not run (1) or was called wrongly (2). */
export const BROKEN = 3

const indented = (text: string) => `  ${text}`
const line = ({ code, where, detail }: Finding) =>
  `  ${code} at ${where}: ${FINDINGS[code]} (${detail})`

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

function reportSegment(result: SegmentVerification): string[] {
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

const OPTIONS = {
  key: { type: 'string', multiple: true, default: [] as string[] },
  checkpoint: { type: 'string', multiple: true, default: [] as string[] },
  witness: { type: 'string', multiple: true, default: [] as string[] },
  'mac-keys': { type: 'string' },
  archive: { type: 'string', multiple: true, default: [] as string[] },
  database: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export async function verify(
  args: readonly string[],
  usage: string,
  out: (line: string) => void,
): Promise<number> {
  const { values, positionals } = parseCall(args, OPTIONS, usage)
  const [path, ...rest] = positionals
  if (rest.length > 0 || (path === undefined) !== values.database) {
    throw usageError('either an export or --database is expected', usage)
  }
  const evidence = await readEvidence({ ...values, macKeys: values['mac-keys'] })
  if (path !== undefined && (await isArchive(path))) {
    const { segment } = await readArchive(path)
    const piece = verifySegment(segment, evidence.verifiers, evidence.macKeys)
    if (values.json) out(printableJson(piece))
    else reportSegment(piece).forEach((each) => out(printable(each)))
    return piece.ok ? 0 : BROKEN
  }
  const result = verifyChecked(await readChecked(path, evidence), evidence)
  if (values.json) out(printableJson(result))
  else report(result).forEach((each) => out(printable(each)))
  return result.ok ? 0 : BROKEN
}
