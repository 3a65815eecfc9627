import { describe, expect, it } from 'vitest'
import { collect, readLine, writeLine, type LogLine } from './export.ts'

const header: LogLine = { type: 'header', format: 1, batchCounter: 2, exportedAt: 'now' }
const seal = (epoch: number, seq: number): LogLine => ({
  type: 'seal',
  epoch,
  seq,
  id: `r${seq}`,
  tenant: 't',
  tenantSeq: seq,
  leaf: Buffer.alloc(32, seq),
})
const batch: LogLine = {
  type: 'batch',
  epoch: 1,
  first: 1,
  last: 2,
  root: Buffer.alloc(32, 1),
  prevRoot: Buffer.alloc(32, 2),
  frontier: [Buffer.alloc(32, 3)],
  numberingFrontier: [Buffer.alloc(32, 4), Buffer.alloc(32, 5)],
  checkpoint: 'a\nb\n',
}

describe('readLine', () => {
  it.each([header, seal(1, 1), batch])('gives back what writeLine wrote', (line) => {
    expect(readLine(writeLine(line), 0)).toEqual(line)
  })

  it.each([
    ['not JSON', '{'],
    ['an unknown type', '{"type":"wish"}'],
    ['a format of the future', '{"type":"header","format":2}'],
  ])('refuses %s and names the line', (_, text) => {
    expect(() => readLine(text, 41)).toThrow(/^line 42 of the export/)
  })
})

describe('collect', () => {
  it('puts seals into the order of the log', () => {
    const log = collect([header, seal(2, 1), seal(1, 2), seal(1, 1)])
    expect(log.seals.map(({ epoch, seq }) => [epoch, seq])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ])
  })

  it('refuses an export without its header', () => {
    expect(() => collect([batch])).toThrow(SyntaxError)
  })
})
