import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { provenLog, type ProvenLog } from '../../test/support/proven-log.ts'
import { recordId } from '../../test/support/sealed-log.ts'
import { collect, readLine, writeLine, type AuditLog, type LogLine } from './export.ts'
import { joinBlocks, readBlock } from './read-block.ts'
import { verifyChecked, verifyLog } from './verify.ts'

const ENDS = [3, 4, 9, 17]
const WAITING = 3
const intact = await provenLog(ENDS, WAITING)

const linesOf = ({ header, records, pending, seals, batches }: AuditLog): LogLine[] => [
  header,
  ...records,
  ...pending,
  ...seals,
  ...batches,
]
const edited = (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)))

type Damage = (log: AuditLog) => AuditLog
const without =
  <K extends 'records' | 'pending' | 'seals' | 'batches'>(list: K, ...indexes: number[]): Damage =>
  (log) => ({ ...log, [list]: log[list].filter((_, i) => !indexes.includes(i)) })
const changed =
  <K extends 'records' | 'pending' | 'seals' | 'batches'>(
    list: K,
    index: number,
    change: (row: AuditLog[K][number]) => object,
  ): Damage =>
  (log) => ({
    ...log,
    [list]: log[list].map((row, i) => (i === index ? { ...row, ...change(row) } : row)),
  })
const all =
  (...damages: Damage[]): Damage =>
  (log) =>
    damages.reduce((before, damage) => damage(before), log)

const swapped: Damage = (log) => {
  const [a, b] = [log.records[1], log.records[11]]
  if (!a || !b) throw new Error('too few records')
  return all(
    changed('records', 1, () => ({ record: b.record, mac: b.mac })),
    changed('records', 11, () => ({ record: a.record, mac: a.mac })),
  )(log)
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  nothing: (log) => log,
  'an edited record': changed('records', 5, ({ record }) => ({ record: edited(record) })),
  'a forged record': changed('records', 5, () => ({ mac: Buffer.alloc(32) })),
  'a record under a key that is not its own': changed('records', 5, () => ({ key: 'other' })),
  "a record under another record's tenant": changed('records', 5, () => ({ tenant: 'other' })),
  'swapped records': swapped,
  'deleted records': without('records', 2, 18),
  'a deleted seal': without('seals', 6),
  'a deleted queue entry': without('pending', 1),
  'an edited seal': changed('seals', 6, () => ({ tenantSeq: 99 })),
  'a second seal of one place': (log) => ({
    ...log,
    seals: [...log.seals, ...log.seals.slice(4, 5).map((seal) => ({ ...seal, id: recordId(18) }))],
  }),
  'a second record of one id': (log) => ({
    ...log,
    records: [...log.records, ...log.records.slice(4, 5)],
  }),
  'a deleted batch': without('batches', 1),
  'an edited batch': changed('batches', 2, ({ root }) => ({ root: edited(root) })),
  'a cut tail': all(without('seals', 15, 16), without('batches', 3), without('records', 15, 16)),
  'everything deleted': all(without('seals', ...Array(17).keys()), without('batches', 0, 1, 2, 3)),
  'lines in another order': (log) => ({
    ...log,
    seals: log.seals.toReversed(),
    batches: log.batches.toReversed(),
  }),
}

/** The text in blocks that end behind the lines named. */
function inBlocks(lines: readonly LogLine[], cuts: readonly number[], evidence = intact.evidence) {
  const borders = [0, ...[...cuts].sort((a, b) => a - b), lines.length]
  return borders.slice(1).map((to, i) => {
    const text = lines
      .slice(borders[i], to)
      .map((line) => `${writeLine(line)}\n`)
      .join('')
    return readBlock(Buffer.from(text), evidence)
  })
}

const none: Partial<ProvenLog['evidence']> = { witness: [], checkpoints: [], verifiers: [] }

describe('joinBlocks', () => {
  it.each(Object.entries(DAMAGES))(
    'leads to the same verdict as the whole log, after %s',
    (_, damage) => {
      const lines = linesOf(damage(intact.log))
      for (const evidence of [intact.evidence, { ...intact.evidence, ...none }]) {
        const wanted = verifyLog(collect(lines), evidence)
        fc.assert(
          fc.property(fc.array(fc.nat(lines.length), { maxLength: 5 }), (cuts) => {
            const log = joinBlocks(inBlocks(lines, cuts, evidence))
            expect(verifyChecked(log, evidence)).toEqual(wanted)
          }),
          { numRuns: 5 },
        )
      }
    },
  )

  it('sees each damage but a line in another place', () => {
    const holds = Object.entries(DAMAGES)
      .filter(([, damage]) => verifyLog(collect(linesOf(damage(intact.log))), intact.evidence).ok)
      .map(([name]) => name)
    expect(holds).toEqual(['nothing', 'lines in another order'])
  })

  it.each([
    ['not JSON', '{'],
    ['an unknown type', '{"type":"wish"}'],
    ['a member of every object', '{"type":"constructor"}'],
    ['an empty line', ''],
    ['a record without bytes', `{"type":"record","id":"${recordId(1)}","mac":""}`],
  ])('names the line of %s as one reader does, whatever the blocks are', (_, bad) => {
    const text = (line: LogLine) => `${writeLine(line)}\n`
    const lines = linesOf(intact.log).map(text)
    const whole = [...lines.slice(0, 30), `${bad}\n`, ...lines.slice(30)]
    for (const cut of [0, 7, 30, 31]) {
      const blocks = [whole.slice(0, cut), whole.slice(cut)].map((part) =>
        readBlock(Buffer.from(part.join('')), intact.evidence),
      )
      expect(() => joinBlocks(blocks)).toThrow(/^line 31 of the export/)
    }
    expect(() => readLine(bad, 30)).toThrow(/^line 31 of the export/)
  })

  it.each([
    ['an id that is no UUID', { id: 'r1' }],
    ['a hash of another length', { leaf: Buffer.alloc(31) }],
    ['a place between two', { seq: 1.5 }],
  ])('refuses %s, which would shift the rows behind it', (_, change) => {
    const [seal] = intact.log.seals
    const line = writeLine({ ...(seal as object), ...change } as LogLine)
    const block = readBlock(Buffer.from(line), intact.evidence)
    expect(() => joinBlocks([block])).toThrow(/^line 1 of the export/)
  })

  it('refuses an export without its header', () => {
    expect(() => joinBlocks(inBlocks(intact.log.seals, []))).toThrow(/its header/)
  })
})
