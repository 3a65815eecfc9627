import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSegmentLine } from '../core/audit/segment.ts'
import { archiveOf, recordOf, sealedLog } from '../test/support/sealed-log.ts'
import {
  digestBeside,
  digestOf,
  isArchive,
  readArchive,
  readArchiveHeader,
  writeWhole,
} from './audit-segment-file.ts'

let folder: string
let lines: string[]
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-segment-'))
  const log = await sealedLog(
    [1, 2, 3].map((seq) => recordOf(seq)),
    [2, 3],
  )
  const { header, log: own } = archiveOf(log, 1, 3)
  lines = [header, ...own.batches, ...own.seals, ...own.records].map(writeSegmentLine)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('writeWhole', () => {
  it('gives a file its name when it is whole and accepted', async () => {
    const judged: string[] = []
    await writeWhole(at('whole'), lines, async (written) => {
      judged.push(...(await readFile(written, 'utf8')).trimEnd().split('\n'))
      expect(await readdir(folder)).not.toContain('whole')
    })
    expect(judged).toEqual(lines)
    expect(await readFile(at('whole'), 'utf8')).toBe(`${lines.join('\n')}\n`)
  })

  it('leaves nothing of a file that was not accepted, and the one that was there before', async () => {
    const refuse = () => Promise.reject(new Error('no'))
    await expect(writeWhole(at('whole'), ['x'], refuse)).rejects.toThrow('no')
    expect(await readdir(folder)).toEqual(['whole'])
    expect(await readFile(at('whole'), 'utf8')).toContain('segment')
  })

  it('lets two write the same file at once', async () => {
    await Promise.all([writeWhole(at('two'), lines), writeWhole(at('two'), lines)])
    expect(await readFile(at('two'), 'utf8')).toBe(`${lines.join('\n')}\n`)
  })
})

describe('readArchive', () => {
  it('names the digest of the bytes that it read', async () => {
    const { segment, digest } = await readArchive(at('whole'))
    expect(segment.header).toMatchObject({ epoch: 1, first: 1, last: 3 })
    expect(digest).toBe(await digestOf(at('whole')))
  })

  it.each([
    ['is cut off in a line', () => lines.join('\n')],
    ['is an export', () => '{"type":"header","format":1}\n'],
    ['is empty', () => ''],
    ['has a line of another kind', () => `${lines.join('\n')}\n{"type":"x"}\n`],
    [
      'is no text',
      () => Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0xff, 10])]),
    ],
  ])('refuses a file that %s', async (_, content) => {
    await writeFile(at('bad'), content())
    await expect(readArchive(at('bad'))).rejects.toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE_UNUSABLE',
    })
  })

  it('holds no line that no exporter writes', async () => {
    await writeFile(at('long'), '')
    // Sparse: nothing of it is on the disk.
    await truncate(at('long'), 80 * 1024 * 1024)
    await expect(readArchive(at('long'))).rejects.toThrow('longer than any exporter writes')
  })

  it('says that a file cannot be opened', async () => {
    await expect(readArchive(at('nowhere'))).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})

describe('readArchiveHeader', () => {
  it('reads the first line alone', async () => {
    await writeFile(at('begun'), `${lines[0]}\n{"type":`)
    expect(await readArchiveHeader(at('begun'))).toMatchObject({ epoch: 1, first: 1, last: 3 })
  })

  it.each(['', '{"type":"header","format":1}\n', 'x'])('refuses %j', async (content) => {
    await writeFile(at('bad'), content)
    await expect(readArchiveHeader(at('bad'))).rejects.toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE_UNUSABLE',
    })
  })
})

describe('isArchive', () => {
  it('tells an archive from an export by its first line', async () => {
    await writeFile(at('export'), '{"type":"header","format":1}\n')
    expect(await isArchive(at('whole'))).toBe(true)
    expect(await isArchive(at('export'))).toBe(false)
  })
})

describe('digestBeside', () => {
  it('reads what sha256sum writes, and nothing where nothing is', async () => {
    await writeFile(at('whole.sha256'), `${'a'.repeat(64)}  whole\n`)
    expect(await digestBeside(at('whole'))).toBe('a'.repeat(64))
    expect(await digestBeside(at('two'))).toBeUndefined()
  })

  it('takes one that cannot be read, or that is none, for no missing one', async () => {
    await mkdir(at('folder.sha256'))
    await expect(digestBeside(at('folder'))).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await writeFile(at('spoilt.sha256'), '')
    await expect(digestBeside(at('spoilt'))).rejects.toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE_UNUSABLE',
    })
  })
})
