import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { PalisadeError } from '#core/problem'
import { scramSha256Verifier } from '#core/scram'
import type { Sealed } from '#core/sealed'
import { bootstrap, migrate } from './migrate.ts'

/** What the operator logs in with where no certificate of ours is trusted. */
export interface OperatorLogin {
  readonly username: string
  readonly password: Sealed<string>
}

/** Something that this database cannot do for us, and what follows. */
export interface Consequence {
  readonly consequence: string
  readonly remedy: string
}

export interface ExistingDatabase {
  /** A login with CREATEROLE that owns the database. */
  readonly administrator: pg.ClientConfig
  /** Asked after the schema is there: what was kept before, or a new one. */
  readonly login: () => Promise<OperatorLogin>
  readonly say: (line: Consequence) => void
}

export const OPERATOR = 'palisade_operator'

/**
 * Roles, schema and the operator's login in a database that somebody else runs, whose administrator is no superuser.
 * Repeating it changes nothing. It ends with an error where a rotation would write a verifier to the server's log.
 * @returns the migrations applied now
 */
export async function prepareExistingDatabase(wish: ExistingDatabase): Promise<readonly string[]> {
  const client = new pg.Client(wish.administrator)
  client.on('notice', ({ severity, message, hint }) => {
    if (severity !== 'WARNING') return
    wish.say({ consequence: message ?? '', remedy: hint ?? '' })
  })
  await client.connect()
  try {
    await refuseUnfitAdministrator(client)
    await bootstrap(client)
    const applied = await migrate(client)
    const login = await wish.login()
    if (!(await isLetIn(wish.administrator, login))) await setVerifier(client, login)
    await proveReady(wish.administrator, login)
    return applied
  } finally {
    await client.end()
  }
}

async function refuseUnfitAdministrator(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ problem: string; remedy: string }>(`
    select problem, remedy
      from pg_roles me, pg_database db, lateral (values
        (current_setting('server_version_num')::int < 160000,
          'PostgreSQL ' || current_setting('server_version') || ' is older than 16', 'use 16 or newer'),
        (not (me.rolsuper or me.rolcreaterole),
          me.rolname || ' has no CREATEROLE', 'give it CREATEROLE, or name a login that has it'),
        (not (me.rolsuper or pg_has_role(me.oid, db.datdba, 'USAGE')),
          me.rolname || ' does not own the database ' || db.datname, 'make it the owner: a database of its own, shared with nobody')
      ) as found (is_so, problem, remedy)
      where me.rolname = current_user and db.datname = current_database() and found.is_so`)
  refuse(rows)
}

function refuse(problems: readonly { readonly problem: string; readonly remedy: string }[]): void {
  if (problems.length === 0) return
  throw new PalisadeError(
    'ERR_CONFIG_INVALID',
    `the existing database cannot be used: ${problems.map(({ problem }) => problem).join('; ')}`,
    { remedy: problems.map(({ remedy }) => remedy).join('; ') },
  )
}

const as = (where: pg.ClientConfig, { username, password }: OperatorLogin): pg.ClientConfig => ({
  ...where,
  user: username,
  password: password.reveal(),
})

/** False only when the server says so: a server that does not answer proves nothing about a password. */
async function isLetIn(where: pg.ClientConfig, login: OperatorLogin): Promise<boolean> {
  const client = new pg.Client(as(where, login))
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code?.startsWith('28') === true) return false
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

/**
 * ALTER ROLE takes no parameters and is logged as DDL by many providers, so it runs inside a function of this session
 * that takes the verifier as a parameter. The error is raised again without it.
 */
async function setVerifier(client: pg.Client, { password }: OperatorLogin): Promise<void> {
  await client.query('set role palisade_migrator')
  const { rows } = await client.query<{ problem: string; remedy: string }>(
    'select problem, remedy from palisade_fence.loud_settings()',
  )
  await client.query('reset role')
  refuse(rows)
  await client.query(`
    create or replace function pg_temp.set_operator_verifier(verifier text) returns void language plpgsql as $$
    declare
      cause text;
    begin
      begin
        execute format('alter role palisade_operator password %L', verifier);
      exception when others then
        cause := sqlstate;
      end;
      if cause is not null then
        raise exception 'the verifier of palisade_operator could not be set (SQLSTATE %)', cause;
      end if;
    end
    $$`)
  const verifier = scramSha256Verifier(password.reveal(), { salt: randomBytes(16) })
  await client.query('select pg_temp.set_operator_verifier($1)', [verifier])
}

/** In the operator's own session, whose settings and rights are what counts. */
async function proveReady(where: pg.ClientConfig, login: OperatorLogin): Promise<void> {
  const client = new pg.Client(as(where, login))
  await client.connect()
  try {
    const { rows } = await client.query<{ problem: string; remedy: string }>(`
      select problem, remedy from palisade_fence.preflight('palisade_app_a', 'palisade_app_b', 'palisade_app')
      union all
      select problem, remedy from palisade_fence.preflight('palisade_sealer_a', 'palisade_sealer_b', 'palisade_sealer')
      union all
      select problem, remedy from palisade_fence.loud_settings()`)
    refuse(rows)
  } finally {
    await client.end()
  }
}
