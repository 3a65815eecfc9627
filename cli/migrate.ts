import { usageError, type Command } from './command.ts'
import { withDatabase } from './database.ts'

export const migrateCommand: Command = {
  usage: 'migrate',
  summary: "bring the database's schema to this version",
  async run(args, out) {
    if (args.length > 0) throw usageError(`"${args[0]}" is not expected`, this.usage)
    const { migrate } = await import('../gateway/store/migrate.ts')
    const applied = await withDatabase((client) => migrate(client))
    out(JSON.stringify({ migrated: applied }))
    return 0
  },
}

export const enrolCommand: Command = {
  usage: 'enrol <role_a> <role_b> <group> <database> <namespace>',
  summary: 'let a namespace rotate a pair of database users',
  async run(args, out) {
    const [roleA, roleB, group, database, namespace, ...rest] = args
    if (!roleA || !roleB || !group || !database || !namespace || rest.length > 0) {
      throw usageError('five names are expected', this.usage)
    }
    const { enrolPair } = await import('../gateway/store/migrate.ts')
    await withDatabase((client) => enrolPair(client, { roleA, roleB, group, database, namespace }))
    out(JSON.stringify({ enrolled: [roleA, roleB], group, database, namespace }))
    return 0
  },
}
