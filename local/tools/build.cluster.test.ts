import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  caches = { ...process.env, GOCACHE, XDG_CACHE_HOME: cache }
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

const isBegun = async (): Promise<boolean> =>
  existsSync(dirname(program)) && (await readdir(dirname(program))).length > 0

it('goes on from a build that was killed, with nothing of it left', async () => {
  for (const moment of ['early', 'late']) {
    const child = build()
    // Early: it compiles or links. Late: the draft is there, and would have had its name in a moment.
    if (moment === 'early') await sleep(1_500)
    else while (!(await isBegun()) && child.exitCode === null) await sleep(2)
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    expect(existsSync(program)).toBe(false)
  }
  expect(await isBegun()).toBe(true)

  const child = build()
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await readdir(dirname(program))).toEqual(['versitygw'])
  expect(await exec(program, ['--version'])).toContain('Version')
})
