import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { downSteps } from './down.ts'
import { isLock, lockPath, withLock } from './lock.ts'
import { cacheDir } from './paths.ts'

const { XDG_CACHE_HOME, XDG_STATE_HOME } = process.env
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'palisade-down-'))
  process.env.XDG_CACHE_HOME = join(home, 'cache')
  process.env.XDG_STATE_HOME = join(home, 'state')
})
afterEach(() => {
  for (const [name, value] of Object.entries({ XDG_CACHE_HOME, XDG_STATE_HOME })) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  rmSync(home, { recursive: true })
})

const context = { note: () => {}, signal: new AbortController().signal }

async function purge(): Promise<void> {
  const steps = downSteps({ purge: true, keep: false })
  await steps.find(({ name }) => name === 'caches')?.run(context)
}

describe('down with --purge', () => {
  it('keeps the lock while it deletes the caches, and the folder goes with the lock', async () => {
    mkdirSync(join(cacheDir(), 'tools', 'digest'), { recursive: true })
    writeFileSync(join(cacheDir(), 'tools', 'digest', 'kubectl'), '')
    await withLock(async () => {
      await purge()
      expect(readdirSync(cacheDir())).toEqual([lockPath().split('/').at(-1)])
      await expect(withLock(purge)).rejects.toMatchObject({ code: 'ERR_BUSY' })
    })
    expect(existsSync(cacheDir())).toBe(false)
  })

  it('leaves the lock of another state folder, and what a link leads to', async () => {
    const elsewhere = join(home, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'image'), '')
    mkdirSync(cacheDir(), { recursive: true })
    symlinkSync(elsewhere, join(cacheDir(), 'images'))
    writeFileSync(join(cacheDir(), 'up-or-down-0123abcd.lock'), '1 1')
    await withLock(purge)
    expect(readdirSync(cacheDir())).toEqual(['up-or-down-0123abcd.lock'])
    expect(readdirSync(elsewhere)).toEqual(['image'])
  })
})

describe('isLock', () => {
  it('knows the lock by its name', () => {
    expect(isLock(lockPath().split('/').at(-1) ?? '')).toBe(true)
    expect(isLock('tools')).toBe(false)
  })
})
