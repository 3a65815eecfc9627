import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalError } from '../errors.ts'
import { hasEnded } from '../process-stat.ts'
import { namesIn } from './folder.ts'
import { pulumiDir, type StackRequest } from './request.ts'

interface Patience {
  readonly patienceSeconds: number
  readonly say: (line: string) => void
}

interface Lock {
  readonly pid: number
  readonly hostname: string
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    return !hasEnded(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false // ended while we looked
  }
}

const LOOK_EVERY_MS = 200
const LOOKS_UNTIL_TOLD = 10

/** The engine of a run that was killed ends what it has begun, so that its state is whole: that may take a while. */
async function staysRunning(pid: number, { patienceSeconds, say }: Patience): Promise<boolean> {
  const looks = (patienceSeconds * 1000) / LOOK_EVERY_MS
  for (let look = 0; look < looks; look++) {
    if (!isRunning(pid)) return false
    if (look === LOOKS_UNTIL_TOLD)
      say(`waiting for the engine of another run to end (process ${pid})`)
    await sleep(LOOK_EVERY_MS)
  }
  return true
}

async function read(path: string): Promise<Lock | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Lock
  } catch {
    // Cut off while it was written: its writer is gone.
    return undefined
  }
}

/** Takes away locks of engines that were killed; a lock of a living engine is refused. Returns how many went. */
export async function clearStaleLocks(
  request: StackRequest,
  say: (line: string) => void,
): Promise<number> {
  const patience = { patienceSeconds: request.lockPatienceSeconds, say }
  const folder = join(
    pulumiDir(request),
    '.pulumi',
    'locks',
    'organization',
    request.project,
    request.stack,
  )
  const names = await namesIn(folder)
  // Beside each lock the backend keeps a file of attributes.
  const locks = names.filter((name) => name.endsWith('.json'))
  for (const name of locks) {
    const lock = await read(join(folder, name))
    if (!lock || (lock.hostname === hostname() && !(await staysRunning(lock.pid, patience))))
      continue
    throw new LocalError(
      'ERR_STACK_LOCKED',
      `stack "${request.stack}" is in use by process ${lock.pid} on ${lock.hostname}`,
      'wait until it ends, or end it, and run the command again',
    )
  }
  for (const name of names) await rm(join(folder, name), { force: true })
  return locks.length
}
