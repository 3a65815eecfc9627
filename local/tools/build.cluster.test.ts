import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exec } from '../exec.ts'
import { toolPath } from './path.ts'

// The compiler's own cache is warm from `make up`, so that a build is little more than linking.

let cache: string
let caches: NodeJS.ProcessEnv
let program: string
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'palisade-build-'))
  const GOCACHE = (await exec('go', ['env', 'GOCACHE'], { env: process.env })).trim()
  const GOTMPDIR = join(cache, 'go-tmp')
  await mkdir(GOTMPDIR)
  caches = { ...process.env, GOCACHE, GOTMPDIR, XDG_CACHE_HOME: cache }
  const built = await toolPath('versitygw')
  program = join(cache, 'palisade', 'tools', basename(dirname(built)), 'versitygw')
})
afterAll(() => rm(cache, { recursive: true, force: true }))

/** A process group of its own, with the compiler in it. */
const build = (): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'test'], {
    env: caches,
    detached: true,
  })

/** A process that has ended: the highest id that Linux can give out is not in use here. */
const DEAD = 4_194_303

it('goes on from a build that was killed, with nothing of it left', async () => {
  const killed = build()
  await expect.poll(() => existsSync(dirname(program))).toBe(true)
  process.kill(-(killed.pid ?? 0), 'SIGKILL')
  expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL'])
  expect(existsSync(program)).toBe(false)
  // One that came further left half of a program, and what the compiler and pip call their own drafts.
  for (const ending of ['', '-go-tmp-umask', `.${DEAD}.wheel`]) {
    await writeFile(`${program}.${DEAD}.draft${ending}`, 'half')
  }

  const child = build()
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await readdir(dirname(program))).toEqual(['versitygw'])
  expect(await exec(program, ['--version'])).toContain('Version')
})
