import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { probeDisk } from './disk.ts'

it('times a sync whenever one is due, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-disk-'))
  try {
    const began = performance.now()
    const times = probeDisk(folder, 100, 0.3)
    expect(times).toHaveLength(30)
    expect(Math.min(...times)).toBeGreaterThan(0)
    // The last was due 290 ms after the first.
    expect(performance.now() - began).toBeGreaterThan(290)
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})
