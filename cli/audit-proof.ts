import Value from 'typebox/value'
import { AuditProof } from '#api/audit-proof'
import { parseLogCheckpoint } from '#core/audit/log-checkpoint'
import { NoProof, proveHistory, proveRecords, proveTenant } from '#core/audit/proof'
import { verifyProof, type ProofVerdict } from '#core/audit/verify-proof'
import { PalisadeError } from '#core/problem'
import { readKey } from './audit-evidence.ts'
import { readLog } from './audit-log.ts'
import { readArchives } from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { printableJson } from './printable.ts'
import { usableFile } from './usable.ts'

const WISHES = {
  record: { type: 'string', multiple: true },
  tenant: { type: 'string' },
  since: { type: 'string' },
  archive: { type: 'string', multiple: true, default: [] as string[] },
} as const

/** A proof from an export, to be shown to somebody who has the key of the log and nothing else. */
export async function prove(args: readonly string[], usage: string): Promise<AuditProof> {
  const {
    values: { archive, ...values },
    positionals,
  } = parseCall(args, WISHES, usage)
  const [path, ...rest] = positionals
  const [wish, ...others] = Object.keys(values)
  if (!path || rest.length > 0 || !wish || others.length > 0) {
    throw usageError('an export and one of --record, --tenant and --since are expected', usage)
  }
  const archives = await readArchives(archive)
  const live = await readLog(path)
  // A record that is in both is taken from the log.
  const back = archives.flatMap(({ segment }) => segment.log.records)
  const log = { ...live, records: [...back, ...live.records] }
  try {
    if (values.record) return proveRecords(log, values.record)
    if (values.tenant !== undefined) return proveTenant(log, values.tenant)
    return proveHistory(log, await olderCheckpoint(values.since ?? ''))
  } catch (error) {
    if (!(error instanceof NoProof)) throw error
    throw new PalisadeError('ERR_AUDIT_NO_PROOF', error.message, { cause: error })
  }
}

export async function checkProof(
  args: readonly string[],
  usage: string,
): Promise<{ readonly verdict: ProofVerdict; readonly lines: readonly string[] }> {
  const options = {
    key: { type: 'string', multiple: true, default: [] as string[] },
    json: { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseCall(args, options, usage)
  const [path, ...rest] = positionals
  if (!path || rest.length > 0 || values.key.length === 0) {
    throw usageError('one proof and at least one --key are expected', usage)
  }
  const proof = await usableFile(path, 'a proof that "palisade audit prove" wrote', (text) =>
    Value.Parse(AuditProof, JSON.parse(text)),
  )
  const verdict = verifyProof(proof, await Promise.all(values.key.map(readKey)))
  const lines = verdict.ok
    ? ['The proof holds. It shows:', ...verdict.shows.map((line) => `  ${line}`)]
    : ['The proof does not hold:', ...verdict.faults.map((line) => `  ${line}`)]
  return { verdict, lines: values.json ? [printableJson(verdict)] : lines }
}

/** Not trusted here: whoever checks the proof finds a checkpoint that nobody signed. */
const olderCheckpoint = (path: string) =>
  usableFile(path, 'a checkpoint of this log', (note) => {
    const end = note.lastIndexOf('\n\n')
    return { note, ...parseLogCheckpoint(note.slice(0, end + 1)) }
  })
