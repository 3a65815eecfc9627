import { execFile, spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from './child.ts'

const run = promisify(execFile)

/** A real Redis server in a directory of its own; gone after `stop()`. */
export interface TestRedis {
  readonly host: string
  readonly port: number
  /** SIGSTOP: connections stay open and nothing answers, like a host that is cut off without a reset. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

export interface TestRedisOptions {
  /** Lines of redis.conf, such as `user app on >secret ~rl:* +@all`. */
  readonly config?: readonly string[]
  readonly port?: number
}

const HOST = '127.0.0.1'
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']

/**
 * The server on the PATH, or else Debian's packages unpacked into the cache, never installed. Without either the
 * tests fail here and say so: a test that skips proves nothing.
 */
async function findServer(): Promise<{ readonly file: string; readonly libraries: string }> {
  for (const name of ['valkey-server', 'redis-server']) {
    const found = await run('which', [name]).catch(() => undefined)
    if (found) return { file: found.stdout.trim(), libraries: '' }
  }
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const root = join(cache, 'palisade', 'test-redis')
  const file = join(root, 'usr/bin/redis-server')
  if (!(await exists(file))) await unpack(root)
  const libraryRoot = join(root, 'usr/lib')
  const triplets = (await readdir(libraryRoot)).filter((name) => name.includes('-linux-'))
  return { file, libraries: triplets.map((name) => join(libraryRoot, name)).join(':') }
}

async function unpack(root: string): Promise<void> {
  await mkdir(join(root, '..'), { recursive: true })
  const work = await mkdtemp(`${root}-`)
  try {
    await run('apt-get', ['download', ...PACKAGES], { cwd: work })
    const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'))
    for (const archive of archives)
      await run('dpkg', ['-x', archive, join(work, 'root')], { cwd: work })
    await rename(join(work, 'root'), root)
  } catch (cause) {
    throw new Error(
      'These tests need a Redis: neither valkey-server nor redis-server is on the PATH, and ' +
        `apt-get could not download ${PACKAGES.join(', ')}. Install one of them.`,
      { cause },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { file, libraries } = await findServer()
  const directory = await mkdtemp(join(tmpdir(), 'palisade-redis-'))
  const [free = 0] = await freePorts(1)
  const { port = free } = options
  const lines = [`bind ${HOST}`, `port ${port}`, 'save ""', 'appendonly no', `dir ${directory}`]
  await writeFile(
    join(directory, 'redis.conf'),
    [...lines, ...(options.config ?? []), ''].join('\n'),
  )
  const server = spawn(file, [join(directory, 'redis.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) },
  })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  }
  for (let waited = 0; !said.includes('Ready to accept connections'); waited += 20) {
    if (server.exitCode !== null || waited > 10_000)
      throw new Error(`Redis did not start:\n${said}`)
    await sleep(20)
  }
  return {
    host: HOST,
    port,
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    stop: async () => {
      server.kill('SIGCONT')
      const isThere = server.exitCode === null && server.signalCode === null
      const gone = isThere ? once(server, 'exit') : undefined
      server.kill('SIGKILL')
      await gone
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
