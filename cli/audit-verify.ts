import { verifyChecked } from '#core/audit/verify'
import { verifySegment } from '#core/audit/verify-segment'
import { readEvidence } from './audit-evidence.ts'
import { readChecked } from './audit-log.ts'
import { report, reportSegment } from './audit-report.ts'
import { isArchive, readArchive } from './audit-segment-file.ts'
import { BROKEN, parseCall, usageError } from './command.ts'
import { printable, printableJson } from './printable.ts'

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
