import pg from 'pg'
import { once, withClient, type PalisadeDatabase } from './postgres.ts'

/**
 * Another database on the same server with what `from` holds, in a tenth of a second; nobody may be connected to `from`.
 * @returns the same logins, in the copy
 */
export async function copyDatabase(
  db: PalisadeDatabase,
  name: string,
  from = 'palisade',
): Promise<PalisadeDatabase> {
  const inCopy = (config: pg.ClientConfig) => ({ ...config, database: name })
  await withClient({ ...db.superuser, database: 'postgres' }, (client) =>
    client.query(
      `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(from)}`,
    ),
  )
  for (const role of ['palisade_app', 'palisade_sealer']) {
    // The setting belongs to the database that a pair was enrolled for.
    await withClient(db.superuser, (client) =>
      client.query(
        `alter role ${role}_a in database ${pg.escapeIdentifier(name)} set role = ${role}`,
      ),
    )
  }
  const { superuser } = db
  return {
    ...db,
    database: name,
    superuser: inCopy(superuser),
    as: (role, password) => inCopy(db.as(role, password)),
    query: (text, values) => once(inCopy(superuser), text, values),
    ...{ app: inCopy(db.app), sealer: inCopy(db.sealer), auditor: inCopy(db.auditor) },
    ...{ migrator: inCopy(db.migrator), operator: inCopy(db.operator) },
  }
}
