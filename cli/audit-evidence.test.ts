import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readEvidence, witnessLines } from './audit-evidence.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))))

async function file(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-evidence-'))
  folders.push(folder)
  const path = join(folder, 'file')
  await writeFile(path, text)
  return path
}

const nothing = { key: [], checkpoint: [], witness: [], macKeys: undefined }

describe('witnessLines', () => {
  it("takes the committed records out of a gateway's log and leaves the rest", () => {
    const id = '01890a5d-ac96-774b-bcce-b302099a8057'
    const leaf = 'ab'.repeat(32)
    const log = [
      '{"level":"info","msg":"Listening"}',
      `{"level":"info","audit":"${id}","leaf":"${leaf}","msg":"Committed audit record"}`,
      'not json',
    ].join('\n')
    expect(witnessLines(log)).toEqual([{ id, leaf: Buffer.from(leaf, 'hex') }])
  })
})

describe('readEvidence', () => {
  const key = Buffer.alloc(32, 7)
  const list = JSON.stringify([{ id: 'k1', key: key.toString('base64url') }])

  it.each([
    ['the list itself', list],
    ['the entry around it', JSON.stringify({ keys: list })],
    ['the answer of the key-value store', JSON.stringify({ data: { data: { keys: list } } })],
  ])('reads MAC keys from %s', async (_, text) => {
    const { macKeys } = await readEvidence({ ...nothing, macKeys: await file(text) })
    expect(macKeys).toEqual(new Map([['k1', key]]))
  })

  it.each([
    ['a key that is no key', { key: ['a+b'] }],
    ['a checkpoint that is not there', { checkpoint: ['/nowhere'] }],
    ['a witness that is not there', { witness: ['/nowhere'] }],
    ['MAC keys that cannot be read', { macKeys: '/nowhere' }],
  ])('refuses %s instead of going on with less', async (_, files) => {
    await expect(readEvidence({ ...nothing, ...files })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })
})
