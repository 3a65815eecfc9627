import { text } from 'node:stream/consumers'
import { archive } from './audit-archive.ts'
import { cut } from './audit-cut.ts'
import { exportEvents, readExport } from './audit-events.ts'
import { exportTo } from './audit-log.ts'
import { checkProof, prove } from './audit-proof.ts'
import { recoverCommand } from './audit-recover.ts'
import { searchLog } from './audit-search.ts'
import { BROKEN, verify } from './audit-verify.ts'
import type { Command } from './command.ts'
import { gatewayFrom } from './config.ts'
import { connectGateway } from './gateway.ts'

const exportCommand: Command = {
  usage: 'audit export <file> [--format jsonl|ocsf|cef] [--from T] [--to T]',
  summary: 'take the audit log out of the database, whole to be verified or as events for a SIEM',
  async run(args, out) {
    const { path, ...wish } = readExport(args, this.usage)
    const lines = wish.format === 'jsonl' ? await exportTo(path) : await exportEvents(path, wish)
    out(JSON.stringify({ exported: path, lines }))
    return 0
  },
}

const FILTERS =
  '[--tenant ID|all] [--actor ID] [--subject KIND/ID] [--request ID] [--address A|-] [--type E]... [--outcome O]... [--from T] [--to T] [--limit N] [--json]'

const searching = (verb: string, order: 'newest' | 'oldest'): Command => ({
  usage: `audit ${verb} ${FILTERS}`,
  summary: `find records of the audit log through the gateway, the ${order} first`,
  async run(args, out) {
    await searchLog(args, this.usage, order, {
      ask: async () => connectGateway(await gatewayFrom()),
      out,
      note: (line) => process.stderr.write(`${line}\n`),
      input: () => text(process.stdin),
    })
    return 0
  },
})

const archiveCommand: Command = {
  usage: 'audit archive <folder> --until DATE|[EPOCH/]NUMBER [--size N] [--key K]...',
  summary: 'write what is sealed and not in the folder yet, as files that can be verified alone',
  async run(args, out) {
    for (const each of await archive(args, this.usage)) out(JSON.stringify(each))
    return 0
  },
}

const cutCommand: Command = {
  usage: 'audit cut --archive F... --key K... --mac-keys F [--keep DAYS] [--below-minimum]',
  summary: 'take records out of the database that lie in these archives, and record that',
  async run(args, out) {
    await cut(args, this.usage, (each) => out(JSON.stringify(each)))
    return 0
  },
}

const verifyCommand: Command = {
  usage:
    'audit verify <file>|<archive>|--database [--key K]... [--checkpoint F]... [--witness F]... [--mac-keys F] [--archive F]... [--json]',
  summary: `verify the log by what is known of it from elsewhere (exit code ${BROKEN}: it does not hold)`,
  async run(args, out) {
    return verify(args, this.usage, out)
  },
}

const proveCommand: Command = {
  usage: 'audit prove <file> --record ID... | --tenant ID | --since F [--archive F]...',
  summary: 'prove single records, those of a tenant, or that the history only grew, from an export',
  async run(args, out) {
    out(JSON.stringify(await prove(args, this.usage)))
    return 0
  },
}

const checkCommand: Command = {
  usage: 'audit check <proof> --key K... [--json]',
  summary: `check such a proof by the key of the log alone (exit code ${BROKEN}: it does not hold)`,
  async run(args, out) {
    const { verdict, lines } = await checkProof(args, this.usage)
    lines.forEach(out)
    return verdict.ok ? 0 : BROKEN
  },
}

export const AUDIT_COMMANDS: readonly (readonly [string, Command])[] = [
  ['audit export', exportCommand],
  ['audit search', searching('search', 'newest')],
  ['audit timeline', searching('timeline', 'oldest')],
  ['audit archive', archiveCommand],
  ['audit cut', cutCommand],
  ['audit verify', verifyCommand],
  ['audit prove', proveCommand],
  ['audit check', checkCommand],
  ['audit recover', recoverCommand],
]
