import pg from 'pg'

/**
 * Gives a role that was made without login a login of its own, on a server that belongs to us alone (embedded mode
 * and tests). In a cluster the operator does this through the fenced functions.
 * @param verifier SCRAM-SHA-256 text, never a password
 */
export async function giveLocalLogin(
  superuser: pg.Client,
  role: string,
  verifier: string,
): Promise<void> {
  const name = pg.escapeIdentifier(role)
  // ALTER ROLE takes no parameters; both parts are quoted by the driver, and neither comes from a client.
  await superuser.query(`alter role ${name} login password ${pg.escapeLiteral(verifier)}`)
}

export async function isSuperuser(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ rolsuper: boolean }>(
    'select rolsuper from pg_catalog.pg_roles where rolname = current_user',
  )
  return rows[0]?.rolsuper === true
}

export async function createDatabase(superuser: pg.Client, name: string): Promise<void> {
  const { rowCount } = await superuser.query(
    'select from pg_catalog.pg_database where datname = $1',
    [name],
  )
  if (rowCount === 0) await superuser.query(`create database ${pg.escapeIdentifier(name)}`)
}
