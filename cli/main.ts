#!/usr/bin/env node
import { PalisadeError } from '#core/problem'
import { recoverCommand } from './audit-recover.ts'
import { auditCommand } from './audit.ts'
import type { Command } from './command.ts'
import { enableCommand } from './enable.ts'
import { describe } from './failure.ts'
import { enrolCommand, migrateCommand } from './migrate.ts'

const bootstrapCommand: Command = {
  usage: 'bootstrap <seal-key|redis-users|database|store-node>',
  summary: 'make what must be there first, inside the cluster',
  async run(args) {
    // Only here: the client of the API server takes longer to load than every other command takes to run.
    const { bootstrap } = await import('./bootstrap/main.ts')
    await bootstrap(args, this.usage)
    return 0
  },
}

const COMMANDS: Readonly<Record<string, Command>> = {
  migrate: migrateCommand,
  enrol: enrolCommand,
  enable: enableCommand,
  audit: auditCommand,
  'audit recover': recoverCommand,
  bootstrap: bootstrapCommand,
}

function help(): string {
  return [
    'palisade <command>',
    '',
    ...Object.values(COMMANDS).flatMap(({ usage, summary }) => [
      `  palisade ${usage}`,
      `      ${summary}`,
    ]),
    '',
    'The database is named by PALISADE_DATABASE_URL_FILE, PALISADE_DATABASE_URL or PGHOST, never by an argument.',
    '',
  ].join('\n')
}

async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(help())
    return 0
  }
  const [verb = '', ...further] = rest
  const longer = COMMANDS[`${name} ${verb}`]
  if (longer) return longer.run(further, (line) => process.stdout.write(`${line}\n`))
  const command = COMMANDS[name]
  if (!command) {
    throw new PalisadeError('ERR_USAGE', `there is no command "${name}"`)
  }
  return command.run(rest, (line) => process.stdout.write(`${line}\n`))
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = error instanceof PalisadeError && error.code === 'ERR_USAGE' ? 2 : 1
}
