import { AUDIT_COMMANDS } from './audit-commands.ts'
import type { Command } from './command.ts'
import type { Commands } from './dispatch.ts'
import { enableCommand } from './enable.ts'
import { enrolCommand, migrateCommand } from './migrate.ts'

const bootstrapCommand: Command = {
  usage: 'bootstrap <seal-key|redis-users|database|store-node>',
  summary: 'make what must be there first, inside the cluster',
  async run(args) {
    const { bootstrap } = await import('./bootstrap/main.ts')
    await bootstrap(args, this.usage)
    return 0
  },
}

export const COMMANDS: Commands = new Map([
  ['migrate', migrateCommand],
  ['enrol', enrolCommand],
  ['enable', enableCommand],
  ...AUDIT_COMMANDS,
  ['bootstrap', bootstrapCommand],
])
