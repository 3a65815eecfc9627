import { createHash } from 'node:crypto'
import { link, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalError } from './errors.ts'
import { cacheDir, stateDir } from './paths.ts'
import { startTicks } from './process-stat.ts'

// In the cache, since `down` deletes the state folder while it holds the lock.
export const lockPath = (state: string = stateDir()): string => {
  const digest = createHash('sha256').update(state).digest('hex').slice(0, 8)
  return join(cacheDir(), `up-or-down-${digest}.lock`)
}

/** Also that of another state folder which shares the cache. */
export const isLock = (name: string): boolean => /^up-or-down-[0-9a-f]{8}\.lock(\.\d+)?$/.test(name)

/** One `up` or `down` at a time; a lock whose holder is gone counts for nothing. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(cacheDir(), { recursive: true, mode: 0o700 })
  if (!(await take())) {
    const [pid = '', started] = (await readFile(lockPath(), 'utf8').catch(() => '')).split(' ')
    if (pid !== '' && (await startTicks(Number(pid))) === started) {
      throw new LocalError(
        'ERR_BUSY',
        `another make up or make down is running (pid ${pid})`,
        `wait for it, or end it with \`kill ${pid}\``,
      )
    }
    await rm(lockPath(), { force: true })
    if (!(await take())) throw new LocalError('ERR_BUSY', 'another command was faster', 'try again')
  }
  try {
    return await work()
  } finally {
    await rm(lockPath(), { force: true })
    // After a purge nothing else is left in there; any other time it is not empty.
    await rmdir(cacheDir()).catch(() => undefined)
  }
}

async function take(): Promise<boolean> {
  const draft = `${lockPath()}.${process.pid}`
  await writeFile(draft, `${process.pid} ${await startTicks(process.pid)}`, { mode: 0o600 })
  try {
    // link() refuses an existing name, and nobody ever reads a lock that does not say yet whose it is.
    await link(draft, lockPath())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    await rm(draft, { force: true })
  }
}
