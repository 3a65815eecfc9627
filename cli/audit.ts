import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { collect, readLine, writeLine, type AuditLog, type LogLine } from '#core/audit/export'
import { FINDINGS } from '#core/audit/findings'
import { verifyLog, type Verification } from '#core/audit/verify'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { exportLog } from '../gateway/store/audit-export.ts'
import { readEvidence } from './audit-evidence.ts'
import { usageError, type Command } from './command.ts'
import { databaseFrom } from './config.ts'

/** The log does not hold: told apart from a command that could not run (1) or was called wrongly (2). */
const BROKEN = 3

async function withLog<T>(use: (lines: AsyncIterable<LogLine>) => Promise<T>): Promise<T> {
  const client = new pg.Client(await databaseFrom())
  await client.connect()
  try {
    return await use(exportLog(client, systemClock.now()))
  } finally {
    await client.end()
  }
}

async function exportTo(path: string): Promise<number> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  await once(file, 'open')
  let count = 0
  await withLog(async (lines) => {
    for await (const line of lines) {
      count += 1
      if (!file.write(`${writeLine(line)}\n`)) await once(file, 'drain')
    }
  })
  file.end()
  await once(file, 'finish')
  return count
}

/** Line by line: a log of a million records is longer than the longest string. */
async function readFileLog(path: string): Promise<AuditLog> {
  const file = await open(path)
  const lines: LogLine[] = []
  for await (const line of file.readLines()) lines.push(readLine(line, lines.length))
  return collect(lines)
}

async function readLog(path: string | undefined): Promise<AuditLog> {
  if (path !== undefined) {
    try {
      return await readFileLog(path)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw new PalisadeError('ERR_CONFIG_INVALID', error.message, {
        cause: error,
        remedy: 'name a file that "palisade audit export" wrote',
      })
    }
  }
  return withLog(async (lines) => {
    const all: LogLine[] = []
    for await (const line of lines) all.push(line)
    return collect(all)
  })
}

export function report(result: Verification): string[] {
  const { counts, findings, proves, doesNotProve } = result
  return [
    result.ok ? 'The audit log holds.' : `The audit log is broken: ${findings.length} findings.`,
    `${counts.records} records, ${counts.sealed} sealed in ${counts.batches} batches, ${counts.unsealed} waiting`,
    ...findings.map(
      ({ code, where, detail }) => `  ${code} at ${where}: ${FINDINGS[code]} (${detail})`,
    ),
    ...(result.ok ? ['This proves:', ...proves.map((line) => `  ${line}`)] : []),
    ...(doesNotProve.length > 0 ? ['It does not prove:'] : []),
    ...doesNotProve.map((line) => `  ${line}`),
  ]
}

const OPTIONS = {
  key: { type: 'string', multiple: true, default: [] as string[] },
  checkpoint: { type: 'string', multiple: true, default: [] as string[] },
  witness: { type: 'string', multiple: true, default: [] as string[] },
  'mac-keys': { type: 'string' },
  database: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

async function verify(args: readonly string[], usage: string, out: (line: string) => void) {
  const { values, positionals } = parse(args, usage)
  const [path, ...rest] = positionals
  if (rest.length > 0 || (path === undefined) !== values.database) {
    throw usageError('either an export or --database is expected', usage)
  }
  const evidence = await readEvidence({ ...values, macKeys: values['mac-keys'] })
  const result = verifyLog(await readLog(path), evidence)
  if (values.json) out(JSON.stringify(result))
  else report(result).forEach(out)
  return result.ok ? 0 : BROKEN
}

function parse(args: readonly string[], usage: string) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw usageError((error as Error).message, usage)
  }
}

export const auditCommand: Command = {
  usage:
    'audit export <file> | audit verify <file>|--database [--key K]... [--checkpoint F]... [--witness F]... [--mac-keys F] [--json]',
  summary: 'take the audit log out; verify it (exit code 3: it is broken)',
  async run([verb, ...args], out) {
    switch (verb) {
      case 'export': {
        const [path, ...rest] = args
        if (!path || rest.length > 0) throw usageError('one file is expected', this.usage)
        out(JSON.stringify({ exported: path, lines: await exportTo(path) }))
        return 0
      }
      case 'verify':
        return verify(args, this.usage, out)
      default:
        throw usageError(`"${verb ?? ''}" is neither export nor verify`, this.usage)
    }
  },
}
