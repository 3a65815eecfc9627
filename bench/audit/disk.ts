import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { block } from './block.ts'

/** A page of the write-ahead log, and one file of it. */
const PAGE = 8_192
const PAGES = 2_048

/**
 * What one sync costs on the disk of this directory, as pg_test_fsync asks it: pages into a file that has its room
 * already, each followed by fdatasync, which is PostgreSQL's way on Linux. No commit can be faster. They come at the
 * rate of the requests and count from when they were due, so that a disk that stands still shows as it would there.
 * @returns milliseconds of each
 */
export function probeDisk(
  directory: string,
  perSecond: number,
  seconds: number,
): readonly number[] {
  const path = join(directory, 'disk-probe')
  const file = openSync(path, 'w', 0o600)
  try {
    const page = Buffer.alloc(PAGE, 1)
    for (let i = 0; i < PAGES; i += 1) writeSync(file, page, 0, PAGE, i * PAGE)
    fdatasyncSync(file)
    const begin = performance.now()
    return Array.from({ length: Math.round(perSecond * seconds) }, (_, index) => {
      const due = begin + (index * 1000) / perSecond
      const early = due - performance.now()
      if (early > 0) block(early)
      writeSync(file, page, 0, PAGE, (index % PAGES) * PAGE)
      fdatasyncSync(file)
      return performance.now() - due
    })
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
