import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { startTicks } from '../process-stat.ts'

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

const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

export async function remember(path: string, pid: number, digest: string): Promise<void> {
  const record: ProcessRecord = {
    pid,
    digest,
    startTicks: await startTicks(pid),
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
    record.bootId === (await bootId()) && record.startTicks === (await startTicks(record.pid))
  if (alive && record.startTicks !== '') return record
  await rm(path, { force: true })
  return undefined
}
