import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, writeLine, type LogLine } from '#core/audit/export'
import { verifyChecked, verifyLog } from '#core/audit/verify'
import { provenLog } from '../test/support/proven-log.ts'
import { checkFile } from './audit-blocks.ts'

const { log, evidence } = await provenLog([40, 41, 97], 5)
const lines: LogLine[] = [log.header, ...log.records, ...log.pending, ...log.seals, ...log.batches]
const text = lines.map((line) => `${writeLine(line)}\n`).join('')

let folder = ''
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'palisade-blocks-'))))
afterAll(() => rm(folder, { recursive: true }))

async function check(content: string, blockBytes: number, threads = 2) {
  const path = join(folder, 'log.jsonl')
  await writeFile(path, content)
  const file = await open(path)
  try {
    return await checkFile(file, evidence, { blockBytes, threads })
  } finally {
    await file.close()
  }
}

describe('checkFile', () => {
  // A block of 100 bytes is shorter than every line; one of the whole length ends with the file.
  it.each([100, 5_000, text.length, 1 << 22])(
    'gives the log of one reader, in blocks of %d bytes on two threads',
    async (blockBytes) => {
      const wanted = verifyLog(log, evidence)
      expect(wanted.ok).toBe(true)
      expect(verifyChecked(await check(text, blockBytes), evidence)).toEqual(wanted)
    },
  )

  it('finds on two threads what one reader finds in a damaged log, without the last newline', async () => {
    const damaged = lines.filter((_, i) => i !== 20 && i !== 150)
    const content = damaged.map(writeLine).join('\n')
    const wanted = verifyLog(collect(damaged), evidence)
    expect(wanted.findings).toHaveLength(3)
    expect(verifyChecked(await check(content, 5_000), evidence)).toEqual(wanted)
  })

  it('names the line that cannot be read', async () => {
    const broken = [...text.split('\n').slice(0, 90), '{"type":', ...text.split('\n').slice(90)]
    await expect(check(broken.join('\n'), 3_000)).rejects.toThrow(/^line 91 of the export/)
  })

  it('refuses an empty file', async () => {
    await expect(check('', 3_000)).rejects.toThrow(SyntaxError)
  })
})
