import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A page of the write-ahead log, and one file of it. */
const PAGE = 8_192
const PAGES = 2_048

/**
 * What one sync costs on the disk of this directory, as pg_test_fsync asks it: pages into a file that has its room
 * already, each followed by fdatasync, which is PostgreSQL's way on Linux. No commit can be faster.
 * @returns milliseconds of each
 */
export function probeDisk(directory: string, seconds: number): readonly number[] {
  const path = join(directory, 'disk-probe')
  const file = openSync(path, 'w', 0o600)
  try {
    const page = Buffer.alloc(PAGE, 1)
    for (let i = 0; i < PAGES; i += 1) writeSync(file, page, 0, PAGE, i * PAGE)
    fdatasyncSync(file)
    const times: number[] = []
    const end = performance.now() + seconds * 1000
    while (performance.now() < end) {
      const since = performance.now()
      writeSync(file, page, 0, PAGE, (times.length % PAGES) * PAGE)
      fdatasyncSync(file)
      times.push(performance.now() - since)
    }
    return times
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
