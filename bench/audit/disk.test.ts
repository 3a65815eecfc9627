import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { probeDisk } from './disk.ts'

it('times one sync after another for as long as it was told, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-disk-'))
  try {
    const times = probeDisk(folder, 0.2)
    const sum = times.reduce((a, b) => a + b, 0)
    expect(Math.min(...times)).toBeGreaterThan(0)
    // All but the loop itself was spent in syncs.
    expect(sum).toBeGreaterThan(100)
    expect(sum - (times.at(-1) ?? 0)).toBeLessThan(200)
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})
