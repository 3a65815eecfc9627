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
  const [copy, original] = [name, from].map((each) => pg.escapeIdentifier(each))
  await withClient({ ...db.superuser, database: 'postgres' }, async (client) => {
    // Its files, and not a record of each page in the write-ahead log.
    await client.query(`create database ${copy} template ${original} strategy file_copy`)
    for (const role of ['palisade_app', 'palisade_sealer']) {
      // The setting belongs to the database that a pair was enrolled for.
      await client.query(`alter role ${role}_a in database ${copy} set role = ${role}`)
    }
  })
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
