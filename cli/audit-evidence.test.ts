import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readEvidence } from './audit-evidence.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))))

async function file(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-evidence-'))
  folders.push(folder)
  const path = join(folder, 'file')
  await writeFile(path, text)
  return path
}

const tmpdirWithout = import.meta.dirname
const nothing = { key: [], checkpoint: [], witness: [], macKeys: undefined }

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

  it('reads each note of a folder as a checkpoint, in the order of the keys', async () => {
    const folder = join(dirname(await file('')), 'bucket')
    await mkdir(join(folder, 'log/epoch-1'), { recursive: true })
    for (const size of ['0007', '0003']) {
      await writeFile(join(folder, `log/epoch-1/${size}.note`), size)
    }
    await writeFile(join(folder, 'listing.txt'), 'no note')
    const { checkpoints } = await readEvidence({ ...nothing, checkpoint: [folder] })
    expect(checkpoints).toEqual(['0003', '0007'])
  })

  it('refuses a log in which no line is a witness: it would prove nothing', async () => {
    const path = await file('{"level":"info","msg":"Listening"}\n')
    await expect(readEvidence({ ...nothing, witness: [path] })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('no line of it is a witness'),
    })
  })

  it.each([
    ['a folder without a note', { checkpoint: [tmpdirWithout] }, /^name .*checkpoint/],
    ['a key that is no key', { key: ['a+b'] }, /^name the verifier/],
    ['a checkpoint that is not there', { checkpoint: ['/nowhere'] }, /^name .*checkpoint/],
    ['a witness that is not there', { witness: ['/nowhere'] }, /^name the log of a gateway/],
    ['MAC keys that cannot be read', { macKeys: '/nowhere' }, /bao kv get -format=json/],
  ])('refuses %s instead of going on with less', async (_, files, remedy) => {
    await expect(readEvidence({ ...nothing, ...files })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      remedy: expect.stringMatching(remedy),
    })
  })
})
