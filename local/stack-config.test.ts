import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkStackConfig, STACK_FILE } from './stack-config.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-stack-config-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function check(text: string): Promise<unknown> {
  const file = join(folder, 'Pulumi.local.yaml')
  await writeFile(file, text)
  return checkStackConfig(file, {}).catch((error: unknown) => error)
}

describe('checkStackConfig', () => {
  it('accepts the committed file', async () => {
    await expect(checkStackConfig(STACK_FILE, {})).resolves.toBeUndefined()
  })
  it.each([
    ['a value out of range', 'palisade:edge: {replicas: 0}', 'palisade:edge.replicas'],
    ['an unknown key', 'palisade:egde: {replicas: 1}', 'palisade:egde'],
    ['an unknown profile', 'palisade:profile: prod', 'palisade:profile: "prod" is not a profile'],
  ])('names the field of %s, and how to go on', async (_, line, told) => {
    const committed = await readFile(STACK_FILE, 'utf8')
    const key = line.slice(0, line.indexOf(': '))
    const block = new RegExp(`^  ${key}:.*\\n(    .*\\n)*`, 'm')
    expect(await check(`${committed.replace(block, '')}  ${line}\n`)).toMatchObject({
      code: 'ERR_STACK_CONFIG',
      message: expect.stringContaining(told),
      remedy: expect.stringContaining('nothing has been made'),
    })
  })
  it('names a file that is no YAML', async () => {
    expect(await check('config: [')).toMatchObject({ code: 'ERR_STACK_CONFIG' })
  })
})
