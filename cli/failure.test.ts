import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportTo, readLog } from './audit-log.ts'
import { bootstrap } from './bootstrap/main.ts'
import { describe as describeFailure } from './failure.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-failure-'))
})
afterAll(() => rm(folder, { recursive: true }))

const failureOf = (act: Promise<unknown>): Promise<string> =>
  act.then(() => 'it went on', describeFailure)

describe('palisade', () => {
  it('says of an export onto a file that exists that it overwrites none, and leaves it as it is', async () => {
    const path = join(folder, 'log.jsonl')
    await writeFile(path, 'kept')
    expect(await failureOf(exportTo(path))).toBe(
      `ERR_CONFIG_INVALID: "${path}" cannot be opened (EEXIST); name a new file in a folder that exists: none is overwritten`,
    )
    expect(await readFile(path, 'utf8')).toBe('kept')
  })

  it.each([
    ['an export into no folder', () => exportTo('/nowhere/log'), 'a new file in a folder'],
    ['a log that is not there', () => readLog('/nowhere/log'), 'palisade audit export'],
    ['any other file', () => readFile('/nowhere/log'), 'a file that this program may read'],
  ])('names the file and the way out for %s', async (_, act, remedy) => {
    const said = await failureOf(act())
    expect(said).toMatch(/^ERR_CONFIG_INVALID: "\/nowhere\/log" cannot be opened \(ENOENT\); /)
    expect(said).toContain(remedy)
  })

  it("takes a server's message and not its detail, which may quote a statement", () => {
    const refused = Object.assign(new Error('permission denied'), { detail: 'select secret' })
    expect(describeFailure(refused)).toBe('permission denied')
  })

  it.each([[[]], [['nonsense']], [['seal-key', 'twice']]])(
    'bootstrap %j is a wrong call, and says which calls there are',
    async (args) => {
      await expect(bootstrap(args, 'bootstrap <what>')).rejects.toMatchObject({
        code: 'ERR_USAGE',
        detail: 'one of seal-key, redis-users, database, store-node is expected',
        remedy: 'call it as: palisade bootstrap <what>',
      })
    },
  )
})
