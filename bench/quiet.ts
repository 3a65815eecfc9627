import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** Above it, what else the machine does is part of every number. */
export const QUIET_LOAD = 0.5

export const loadNow = (): number => loadavg()[0] ?? 0

/** Why a measurement may not start now; undefined when it may. */
export const busyWith = (load: number, anyLoad: boolean): string | undefined =>
  load <= QUIET_LOAD || anyLoad
    ? undefined
    : `ERR_MACHINE_BUSY: the load is ${load.toFixed(2)}, and numbers mean something up to ${QUIET_LOAD}\n` +
      '  → stop what else runs and wait a minute, or add --any-load for a trial whose numbers nobody quotes'

export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** Of the code that was measured; `-dirty` when a file differs from it. */
  readonly commit: string
}

export const machineOf = (): Machine => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release().split('-')[0] ?? '',
  node: process.version,
  commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
})
