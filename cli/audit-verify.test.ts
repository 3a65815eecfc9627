import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSegmentLine } from '#core/audit/segment'
import { writeLine, type AuditLog } from '#core/audit/export'
import { archiveOf, MAC, recordOf, rootAt, sealedLog } from '../test/support/sealed-log.ts'
import { COMMANDS } from './commands.ts'
import { dispatch } from './dispatch.ts'

const HOSTILE = '\u001b[2J\u009b\u202e'

let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-verify-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function verify(name: string, ...more: string[]) {
  const lines: string[] = []
  const code = await dispatch(COMMANDS, ['audit', 'verify', at(name), ...more], (line) =>
    lines.push(line),
  )
  return { code, lines }
}

async function writeExport(name: string, log: AuditLog): Promise<void> {
  const lines = [log.header, ...log.records, ...log.pending, ...log.seals, ...log.batches]
  await writeFile(at(name), `${lines.map(writeLine).join('\n')}\n`)
}

/** Records whose fifth tells that 1..2 were cut, as whoever wrote it says. */
async function cutLog(event: object): Promise<AuditLog> {
  const seqs = [1, 2, 3, 4, 5]
  const root = rootAt(
    await sealedLog(
      seqs.map((seq) => recordOf(seq)),
      [2, 5],
    ),
    2,
  )
  const cut = {
    eventType: 'audit.cut',
    macKey: MAC.id,
    time: '2026-01-02T03:04:05.000Z',
    actor: { kind: 'administrator', id: 'alice' },
    details: { epoch: 1, first: 1, last: 2, root, archive: 'd'.repeat(64), keepDays: 400 },
  }
  const records = seqs.map((seq) => recordOf(seq, seq === 5 ? { ...cut, ...event } : {}))
  const log = await sealedLog(records, [2, 5])
  return { ...log, records: log.records.slice(2) }
}

describe('palisade audit verify', () => {
  it('names what it reads when there is no such file', async () => {
    await expect(verify('nowhere')).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      remedy: 'name an export or an archive that can be read',
    })
  })

  it('ends with 3 for a cut that neither a MAC key nor its archive shows', async () => {
    await writeExport('cut', await cutLog({}))
    const { code, lines } = await verify('cut')
    expect(code).toBe(3)
    expect(lines.join('\n')).toContain('CutUnproven at 1/1..2')
    expect(lines.join('\n')).toContain('were cut on 2026-01-02T03:04:05.000Z by alice')
  })

  it.each([
    ['a time', { time: HOSTILE }],
    ['a name', { actor: { kind: 'administrator', id: HOSTILE } }],
  ])('takes no cut for one that has %s nobody could have recorded', async (_, event) => {
    await writeExport('hostile', await cutLog(event))
    const { code, lines } = await verify('hostile')
    expect(code).toBe(3)
    expect(lines.join('\n')).toContain('RecordDeleted at 1/1')
    expect(lines.join('\n')).not.toContain('were cut')
  })

  it('reads no record that waits under an id that is none', async () => {
    const log = await cutLog({})
    const pending = [{ type: 'pending' as const, id: HOSTILE, leaf: Buffer.alloc(32) }]
    await writeExport('pending', { ...log, pending })
    await expect(verify('pending')).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })

  it.each([[[]], [['--json']]])(
    'prints nothing of an archive that a terminal obeys %j',
    async (more) => {
      const log = await sealedLog(
        [1, 2].map((seq) => recordOf(seq)),
        [2],
      )
      const { header, log: own } = archiveOf(log, 1, 2)
      const stranger = { ...recordOf(3), id: HOSTILE }
      const lines = [header, ...own.batches, ...own.seals, ...own.records, stranger]
      await writeFile(at('archive'), `${lines.map(writeSegmentLine).join('\n')}\n`)
      const { code, lines: printed } = await verify('archive', ...more)
      expect(code).toBe(3)
      expect(printed.join('')).toContain('RecordUnaccounted')
      expect(printed.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    },
  )
})
