import { describe, expect, it } from 'vitest'
import {
  archiveOf,
  MAC_KEYS,
  recordOf,
  rootAt,
  sealedLog,
  VERIFIERS,
} from '../../test/support/sealed-log.ts'
import { SegmentReader, writeSegmentLine, type Segment } from './segment.ts'
import { verifySegment } from './verify-segment.ts'

const SEQS = [1, 2, 3, 4, 5, 6, 7]
const logOf = () =>
  sealedLog(
    SEQS.map((seq) => recordOf(seq)),
    [2, 3, 7],
  )

const judge = (segment: Segment) =>
  verifySegment(segment, VERIFIERS, MAC_KEYS).findings.map(({ code }) => code)

const readSegment = (lines: readonly string[]) => {
  const reader = new SegmentReader()
  lines.forEach((line) => reader.push(line))
  return reader.end()
}

const linesOf = ({ header, log }: Segment) =>
  [header, ...log.batches, ...log.seals, ...log.records].map(writeSegmentLine)

describe('verifySegment', () => {
  it.each([
    [1, 2],
    [3, 3],
    [4, 7],
    [3, 7],
    [1, 7],
  ])(
    'holds for %i..%i by itself, and names the root that the next one goes on from',
    async (first, last) => {
      const log = await logOf()
      const result = verifySegment(archiveOf(log, first, last), VERIFIERS, MAC_KEYS)
      expect(result).toMatchObject({ ok: true, findings: [], doesNotProve: [] })
      expect(result.root).toBe(rootAt(log, last))
    },
  )

  it('says what it does not prove without keys', async () => {
    const result = verifySegment(archiveOf(await logOf(), 1, 3), [], new Map())
    expect(result).toMatchObject({ ok: true, doesNotProve: [expect.anything(), expect.anything()] })
  })

  it('is given back by SegmentReader as it was written', async () => {
    const segment = archiveOf(await logOf(), 3, 7)
    expect(linesOf(readSegment(linesOf(segment)))).toEqual(linesOf(segment))
  })

  it('finds that it is not chained to what was before', async () => {
    const log = await logOf()
    const { header, log: lines } = archiveOf(log, 4, 7)
    const frontier = header.frontier.map(() => Buffer.alloc(32, 1))
    expect(judge({ header: { ...header, frontier }, log: lines })).toContain('SealEdited')
  })

  it.each([
    [
      'RecordDeleted',
      ({ header, log }: Segment) => ({ header, log: { ...log, records: log.records.slice(1) } }),
    ],
    [
      'SealDeleted',
      ({ header, log }: Segment) => ({ header, log: { ...log, seals: log.seals.slice(1) } }),
    ],
    ['ArchiveDiffers', ({ header, log }: Segment) => ({ header: { ...header, last: 3 }, log })],
    [
      'ArchiveDiffers',
      ({ header, log }: Segment) => ({ header, log: { ...log, batches: log.batches.slice(0, 1) } }),
    ],
  ])('finds %s', async (code, spoil) => {
    expect(judge(spoil(archiveOf(await logOf(), 3, 7)))).toContain(code)
  })
})

describe('SegmentReader', () => {
  it.each([
    '',
    '{"type":"header"}',
    '{"type":"segment","format":2,"epoch":1,"first":1,"last":2,"frontier":[],"numberingFrontier":[]}',
    '{"type":"segment","format":1,"epoch":1,"first":3,"last":2,"frontier":[],"numberingFrontier":[]}',
    '{"type":"segment","format":1,"epoch":1,"first":1,"last":2,"frontier":["AA=="],"numberingFrontier":[]}',
    '{"type":"segment","format":1,"epoch":1,"first":1,"last":2}',
  ])('refuses a first line %j', (line) => {
    expect(() => readSegment([line])).toThrow(SyntaxError)
  })
})
