import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'

/** What else happened while one side was measured: each of these can make a request wait. */
export interface Meanwhile {
  readonly fsyncs: number
  readonly walBytes: number
  /** Pages written whole to the write-ahead log, since each was touched the first time after a checkpoint. */
  readonly fullPages: number
  /** Files of the write-ahead log that a commit had to make. */
  readonly walFiles: number
  readonly checkpoints: number
  readonly checkpointPages: number
  readonly autovacuums: number
  readonly connections: number
  /** Of the sealer. */
  readonly batches: number
  readonly gcPauses: number
  readonly gcMs: number
  readonly gcLongestMs: number
  /** Processor time that the host gave to other machines. */
  readonly stealMs: number
}

/** As `gcLongestMs` counts for the time since it was last asked, so does everything else between two readings. */
export const between = (before: Meanwhile, after: Meanwhile): Meanwhile =>
  combine(before, after, (a, b) => b - a, after.gcLongestMs)

export const together = (parts: readonly Meanwhile[]): Meanwhile =>
  parts.reduce((sum, part) =>
    combine(sum, part, (a, b) => a + b, Math.max(sum.gcLongestMs, part.gcLongestMs)),
  )

const combine = (
  a: Meanwhile,
  b: Meanwhile,
  of: (a: number, b: number) => number,
  gcLongestMs: number,
): Meanwhile => ({
  fsyncs: of(a.fsyncs, b.fsyncs),
  walBytes: of(a.walBytes, b.walBytes),
  fullPages: of(a.fullPages, b.fullPages),
  walFiles: of(a.walFiles, b.walFiles),
  checkpoints: of(a.checkpoints, b.checkpoints),
  checkpointPages: of(a.checkpointPages, b.checkpointPages),
  autovacuums: of(a.autovacuums, b.autovacuums),
  connections: of(a.connections, b.connections),
  batches: of(a.batches, b.batches),
  gcPauses: of(a.gcPauses, b.gcPauses),
  gcMs: of(a.gcMs, b.gcMs),
  stealMs: of(a.stealMs, b.stealMs),
  gcLongestMs,
})

/** Counts the pauses of the garbage collector in this process. */
export class GcPauses {
  readonly #observer: PerformanceObserver
  #pauses = 0
  #sum = 0
  #longest = 0

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        this.#pauses += 1
        this.#sum += duration
        this.#longest = Math.max(this.#longest, duration)
      }
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  /** The longest is that since the last call. */
  read(): Pick<Meanwhile, 'gcPauses' | 'gcMs' | 'gcLongestMs'> {
    const gcLongestMs = this.#longest
    this.#longest = 0
    return { gcPauses: this.#pauses, gcMs: this.#sum, gcLongestMs }
  }

  stop(): void {
    this.#observer.disconnect()
  }
}

/** The eighth figure of the first line of /proc/stat, in ticks of 10 ms (proc(5)). */
export const stolenMs = (stat = readFileSync('/proc/stat', 'utf8')): number =>
  Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(stat)?.[1] ?? 0) * 10
