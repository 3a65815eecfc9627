import type pg from 'pg'

// ALTER ROLE and CREATE DATABASE take no parameters: the server itself quotes what goes into their text.
const GIVE_LOGIN = "select format('alter role %I login password %L', $1::text, $2::text) as text"
const CREATE_DATABASE = "select format('create database %I', $1::text) as text"

/**
 * Gives a role that was made without login a login of its own, on a server that belongs to us alone (embedded mode
 * and tests). In a cluster the operator does this through the fenced functions.
 * @param verifier SCRAM-SHA-256 text, never a password
 */
export function giveLocalLogin(
  superuser: pg.Client,
  role: string,
  verifier: string,
): Promise<void> {
  return runFormatted(superuser, GIVE_LOGIN, [role, verifier])
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
  if (rowCount === 0) await runFormatted(superuser, CREATE_DATABASE, [name])
}

async function runFormatted(client: pg.Client, format: string, values: string[]): Promise<void> {
  const { rows } = await client.query<{ text: string }>(format, values)
  await client.query(rows[0]?.text ?? '')
}
