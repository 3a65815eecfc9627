import { text } from 'node:stream/consumers'
import { BROKEN, type Command } from './command.ts'

const exportCommand: Command = {
  usage: 'audit export <file> [--format jsonl|ocsf|cef] [--from T] [--to T]',
  summary: 'take the audit log out of the database, whole to be verified or as events for a SIEM',
  async run(args, out) {
    const { exportEvents, readExport } = await import('./audit-events.ts')
    const { path, ...wish } = readExport(args, this.usage)
    const { exportTo } = await import('./audit-log.ts')
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
    const { searchLog } = await import('./audit-search.ts')
    await searchLog(args, this.usage, order, {
      async ask() {
        const { gatewayFrom } = await import('./config.ts')
        const { connectGateway } = await import('./gateway.ts')
        return connectGateway(await gatewayFrom())
      },
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
    const { archive } = await import('./audit-archive.ts')
    for (const each of await archive(args, this.usage)) out(JSON.stringify(each))
    return 0
  },
}

const cutCommand: Command = {
  usage: 'audit cut --archive F... --key K... --mac-keys F [--keep DAYS] [--below-minimum]',
  summary: 'take records out of the database that lie in these archives, and record that',
  async run(args, out) {
    const { cut } = await import('./audit-cut.ts')
    await cut(args, this.usage, (each) => out(JSON.stringify(each)))
    return 0
  },
}

const verifyCommand: Command = {
  usage:
    'audit verify <file>|<archive>|--database [--key K]... [--checkpoint F]... [--witness F]... [--mac-keys F] [--archive F]... [--json]',
  summary: `verify the log by what is known of it from elsewhere (exit code ${BROKEN}: it does not hold)`,
  async run(args, out) {
    const { verify } = await import('./audit-verify.ts')
    return verify(args, this.usage, out)
  },
}

const proveCommand: Command = {
  usage: 'audit prove <file> --record ID... | --tenant ID | --since F [--archive F]...',
  summary: 'prove single records, those of a tenant, or that the history only grew, from an export',
  async run(args, out) {
    const { prove } = await import('./audit-proof.ts')
    out(JSON.stringify(await prove(args, this.usage)))
    return 0
  },
}

const checkCommand: Command = {
  usage: 'audit check <proof> --key K... [--json]',
  summary: `check such a proof by the key of the log alone (exit code ${BROKEN}: it does not hold)`,
  async run(args, out) {
    const { checkProof } = await import('./audit-proof.ts')
    const { verdict, lines } = await checkProof(args, this.usage)
    lines.forEach(out)
    return verdict.ok ? 0 : BROKEN
  },
}

const recoverCommand: Command = {
  usage:
    'audit recover status | audit recover propose --checkpoint F --reference R | audit recover approve ID --checkpoint F',
  summary:
    'two people give up what a restore lost, so that the audit log goes on in its next epoch',
  async run(args, out) {
    const { recover } = await import('./audit-recover.ts')
    out(JSON.stringify(await recover(args, this.usage)))
    return 0
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
