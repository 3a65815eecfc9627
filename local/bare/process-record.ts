import { readFile, rename, rm, writeFile } from 'node:fs/promises'

/** A process we started. The start time tells it from a later one that got the same pid. */
export interface ProcessRecord {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks since the machine booted. */
  readonly startTicks: string
  readonly bootId: string
  /** What it was started with; another digest means that it must be started again. */
  readonly digest: string
  /** When we started it, by the clock that the cluster's timestamps follow. */
  readonly startedAt: string
}

/**
 * Empty for a process that has ended and whose parent has not asked yet: it keeps its pid and start time.
 * The second field of stat is the program's name in brackets, which may hold spaces and brackets itself.
 */
export function startTicksOf(stat: string): string {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const isDead = fields[0] === 'Z' || fields[0] === 'X'
  return isDead ? '' : (fields[19] ?? '')
}

const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

const ticks = (pid: number): Promise<string | undefined> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(startTicksOf, () => undefined)

export async function remember(path: string, pid: number, digest: string): Promise<void> {
  const record: ProcessRecord = {
    pid,
    digest,
    startTicks: (await ticks(pid)) ?? '',
    bootId: await bootId(),
    startedAt: new Date().toISOString(),
  }
  // A command that is killed here must not leave half a record, which no later one could read.
  await writeFile(`${path}.next`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${path}.next`, path)
}

/** The recorded process if it still runs, and nothing else that happens to have its pid. */
export async function recall(path: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (!text) return undefined
  const record = JSON.parse(text) as ProcessRecord
  const alive =
    record.bootId === (await bootId()) && record.startTicks === (await ticks(record.pid))
  if (alive && record.startTicks !== '') return record
  await rm(path, { force: true })
  return undefined
}
