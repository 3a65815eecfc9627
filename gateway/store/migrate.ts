import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PalisadeError } from '#core/problem'

/** A role that a migration may act as; each file names its own in the first line. */
const RUN_AS = /^-- run as: (palisade_owner|palisade_lookup|palisade_fence)\n/
const DIRECTORY = new URL('./migrations/', import.meta.url)
const BOOTSTRAP = new URL('./bootstrap.sql', import.meta.url)
/** Any number, but always the same one: two runners must not work at the same time. */
const LOCK = 7_203_114_501
/** Whatever wants a table waits behind a migration that waits for it; a request is given up after ten seconds. */
const LOCK_TIMEOUT = '2s'
const BETWEEN_ATTEMPTS_MS = 1_000
/** Long enough for an export to end, short enough for whoever deploys to hear of one that does not. */
const PATIENCE_MS = 300_000
const LOCK_NOT_AVAILABLE = '55P03'

export interface Migration {
  readonly name: string
  readonly role: string
  readonly text: string
  readonly checksum: string
}

/** Pairs of login roles that the platform itself uses: enrolled like anybody's, rotated like anybody's. */
const PLATFORM_PAIRS = ['palisade_app', 'palisade_sealer'] as const
const PLATFORM_NAMESPACE = 'palisade-system'

/** In the order of their numbers. There is no 0012: nothing was ever released under that number. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(DIRECTORY)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, DIRECTORY), 'utf8')
      const role = RUN_AS.exec(text)?.[1]
      if (!role) throw new Error(`${name}: the first line must be "-- run as: <role>"`)
      return { name, role, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** The administrator's part, all or nothing. For servers that nobody else has prepared. */
export async function bootstrap(administrator: pg.Client): Promise<void> {
  await administrator.query(await readFile(BOOTSTRAP, 'utf8'))
}

/**
 * Brings the schema to the newest version: one transaction per file, under a lock, as a role that may SET ROLE to
 * the owners. A file that was changed after it ran is refused, because the database would not be what it says.
 * @returns the names of the files applied now
 */
export async function migrate(
  client: pg.Client,
  migrations?: readonly Migration[],
): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations())
  await client.query('select pg_advisory_lock($1)', [LOCK])
  try {
    const done = await readLedger(client)
    const applied: string[] = []
    for (const migration of wanted) {
      const checksum = done.get(migration.name)
      if (checksum === undefined) {
        await applyWhenFree(client, migration)
        applied.push(migration.name)
      } else if (checksum !== migration.checksum) {
        throw new PalisadeError(
          'ERR_MIGRATION_FAILED',
          `${migration.name} was edited after it had been applied`,
        )
      }
    }
    await enrolPlatformPairs(client)
    return applied
  } finally {
    await client.query('reset role')
    await client.query('select pg_advisory_unlock($1)', [LOCK])
  }
}

async function readLedger(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  await client.query('set role palisade_owner')
  await client.query(
    `create table if not exists palisade_meta.migrations (
       name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
  )
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from palisade_meta.migrations',
  )
  return new Map(rows.map((row) => [row.name, row.checksum]))
}

/** Lets go of everything between attempts, so that whoever reads for long holds up the migration and nobody else. */
async function applyWhenFree(client: pg.Client, migration: Migration): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await apply(client, migration)
    } catch (error) {
      const isLocked =
        error instanceof PalisadeError &&
        (error.cause as { code?: unknown } | undefined)?.code === LOCK_NOT_AVAILABLE
      if (!isLocked || Date.now() > deadline) throw error
      await sleep(BETWEEN_ATTEMPTS_MS)
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
    await client.query(`set local role ${pg.escapeIdentifier(migration.role)}`)
    await client.query(await withoutRefusedSettings(client, migration.text))
    await client.query('set local role palisade_owner')
    await client.query('insert into palisade_meta.migrations (name, checksum) values ($1, $2)', [
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    const cause = error instanceof Error ? error.message : String(error)
    throw new PalisadeError('ERR_MIGRATION_FAILED', `${migration.name}: ${cause}`, { cause: error })
  }
}

/** Settings that a fenced function carries, one to a line. */
const SILENCED =
  /^ {2}set (log_statement|log_min_error_statement|log_min_duration_statement) = .*\n/gm

/**
 * A managed service may give nobody the right to set these, and PostgreSQL then refuses the function that carries
 * them. What they guard there is judged before each rotation instead, by palisade_fence.loud_settings. The ledger
 * keeps the digest of the file, not of what was left of it.
 */
async function withoutRefusedSettings(client: pg.Client, text: string): Promise<string> {
  const carried = [...new Set([...text.matchAll(SILENCED)].map(([, name]) => name))]
  if (carried.length === 0) return text
  const { rows } = await client.query<{ name: string }>(
    `select name from unnest($1::text[]) as name where not has_parameter_privilege(current_user, name, 'SET')`,
    [carried],
  )
  const refused = new Set(rows.map(({ name }) => name))
  return text.replace(SILENCED, (line, name: string) => (refused.has(name) ? '' : line))
}

export interface Pair {
  readonly roleA: string
  readonly roleB: string
  readonly group: string
  readonly database: string
  readonly namespace: string
}

/** Lets a namespace rotate a pair of users; makes the roles, without login, where they are missing. */
export async function enrolPair(client: pg.Client, pair: Pair): Promise<void> {
  await client.query('set role palisade_fence')
  try {
    await client.query('select palisade_fence.enrol($1, $2, $3, $4, $5)', [
      pair.roleA,
      pair.roleB,
      pair.group,
      pair.database,
      pair.namespace,
    ])
    await client.query('select palisade_fence.see_sessions($1, $2)', [pair.roleA, pair.roleB])
  } finally {
    await client.query('reset role')
  }
}

async function enrolPlatformPairs(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select current_database() as name')
  const [{ name: database } = { name: '' }] = rows
  for (const group of PLATFORM_PAIRS) {
    const [roleA, roleB] = [`${group}_a`, `${group}_b`]
    await enrolPair(client, { roleA, roleB, group, database, namespace: PLATFORM_NAMESPACE })
  }
}
