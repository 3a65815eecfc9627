import { text } from 'node:stream/consumers'
import { FINDINGS, place, type Finding } from '#core/audit/findings'
import { verifyChecked, type LostPart, type Verification } from '#core/audit/verify'
import { verifySegment, type SegmentVerification } from '#core/audit/verify-segment'
import { archive } from './audit-archive.ts'
import { cut } from './audit-cut.ts'
import { readEvidence } from './audit-evidence.ts'
import { exportTo, readChecked } from './audit-log.ts'
import { exportEvents, readExport } from './audit-events.ts'
import { isArchive, readArchive } from './audit-segment-file.ts'
import { checkProof, prove } from './audit-proof.ts'
import { searchLog } from './audit-search.ts'
import { parseCall, usageError, type Command } from './command.ts'
import { gatewayFrom } from './config.ts'
import { connectGateway } from './gateway.ts'
import { printable, printableJson } from './printable.ts'

/** The log does not hold: told apart from a command that could not run (1) or was called wrongly (2). */
const BROKEN = 3

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

async function verify(args: readonly string[], usage: string, out: (line: string) => void) {
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

export const auditCommand: Command = {
  usage:
    'audit export <file> [--format jsonl|ocsf|cef] [--from T] [--to T] | audit search|timeline [--tenant ID|all] [--actor ID] [--subject KIND/ID] [--request ID] [--address A|-] [--type E]... [--outcome O]... [--from T] [--to T] [--limit N] [--json] | audit archive <folder> --until DATE|[EPOCH/]NUMBER [--size N] [--key K]... | audit cut --archive F... --key K... --mac-keys F [--keep DAYS] [--below-minimum] | audit verify <file>|<archive>|--database [--key K]... [--checkpoint F]... [--witness F]... [--mac-keys F] [--archive F]... [--json] | audit prove <file> --record ID... | --tenant ID | --since F [--archive F]... | audit check <proof> --key K... [--json]',
  summary:
    'take the audit log out, whole or as events for a SIEM; search it, newest first or as a time line, through the gateway at PALISADE_URL with the token in PALISADE_TOKEN_FILE; archive its older part and cut it afterwards; verify it; prove single records, a tenant or its history from it; check such a proof (exit code 3: it does not hold)',
  async run([verb, ...args], out) {
    switch (verb) {
      case 'export': {
        const { path, ...wish } = readExport(args, this.usage)
        const lines =
          wish.format === 'jsonl' ? await exportTo(path) : await exportEvents(path, wish)
        out(JSON.stringify({ exported: path, lines }))
        return 0
      }
      case 'archive':
        ;(await archive(args, this.usage)).forEach((each) => out(JSON.stringify(each)))
        return 0
      case 'cut':
        await cut(args, this.usage, (each) => out(JSON.stringify(each)))
        return 0
      case 'search':
      case 'timeline':
        await searchLog(args, this.usage, verb === 'search' ? 'newest' : 'oldest', {
          ask: async () => connectGateway(await gatewayFrom()),
          out,
          note: (line) => process.stderr.write(`${line}\n`),
          input: () => text(process.stdin),
        })
        return 0
      case 'verify':
        return verify(args, this.usage, out)
      case 'prove':
        out(JSON.stringify(await prove(args, this.usage)))
        return 0
      case 'check': {
        const { verdict, lines } = await checkProof(args, this.usage)
        lines.forEach((each) => out(printable(each)))
        return verdict.ok ? 0 : BROKEN
      }
      default:
        throw usageError(
          `"${verb ?? ''}" is not export, archive, cut, search, timeline, verify, prove or check`,
          this.usage,
        )
    }
  },
}
