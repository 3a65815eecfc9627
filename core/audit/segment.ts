import { place } from './findings.ts'
import { collect, readLine, writeLine, type AuditLog, type LogLine } from './export.ts'
import { isFrontier } from './merkle.ts'
import type { BatchTrees } from './batch-trees.ts'

/**
 * A piece of the log with whole batches, for the archive: a line of its own, then the lines of an export. The same
 * piece gives the same bytes whenever it is written, so its digest names it.
 */
export interface SegmentHeader {
  readonly type: 'segment'
  readonly format: 1
  readonly epoch: number
  readonly first: number
  readonly last: number
  /** Right edges of the trees of records and of numbering behind `first - 1`: what the piece is chained to. */
  readonly frontier: readonly Buffer[]
  readonly numberingFrontier: readonly Buffer[]
}

export interface Segment {
  readonly header: SegmentHeader
  readonly log: AuditLog
}

export const startOf = ({
  first,
  frontier,
  numberingFrontier,
}: Pick<SegmentHeader, 'first' | 'frontier' | 'numberingFrontier'>): BatchTrees => ({
  records: { size: first - 1, nodes: frontier },
  numbering: { size: first - 1, nodes: numberingFrontier },
})

export const placeOfSegment = ({ epoch, first, last }: SegmentHeader): string =>
  place(epoch, first, last)

const texts = (nodes: readonly Buffer[]) => nodes.map((node) => node.toString('base64'))

function writeSegmentHeader(header: SegmentHeader): string {
  const { frontier, numberingFrontier, ...rest } = header
  return JSON.stringify({
    ...rest,
    frontier: texts(frontier),
    numberingFrontier: texts(numberingFrontier),
  })
}

export const writeSegmentLine = (line: SegmentHeader | LogLine): string =>
  line.type === 'segment' ? writeSegmentHeader(line) : writeLine(line)

export const isSegment = (firstLine: string): boolean => firstLine.startsWith('{"type":"segment",')

/** @throws SyntaxError for a first line that begins no segment */
export function readSegmentHeader(text: string): SegmentHeader {
  const line = (isSegment(text) ? JSON.parse(text) : {}) as Record<string, unknown>
  const numbers = [line['epoch'], line['first'], line['last']]
  const lists = [line['frontier'], line['numberingFrontier']]
  const [epoch = 0, first = 0, last = 0] = numbers.map((value) =>
    Number.isSafeInteger(value) ? (value as number) : 0,
  )
  const [frontier, numberingFrontier] = lists.map(nodesOf)
  if (line['format'] !== 1 || epoch < 1 || first < 1 || last < first) {
    throw new SyntaxError('line 1 begins no archive of an audit log in a known format')
  }
  const size = first - 1
  const isChained = [frontier, numberingFrontier].every(
    (nodes) => nodes !== undefined && isFrontier({ size, nodes }),
  )
  if (!frontier || !numberingFrontier || !isChained) {
    throw new SyntaxError('line 1 of the archive does not say what it is chained to')
  }
  return { type: 'segment', format: 1, epoch, first, last, frontier, numberingFrontier }
}

function nodesOf(value: unknown): Buffer[] | undefined {
  if (!Array.isArray(value)) return undefined
  const nodes = value.map((text) => Buffer.from(String(text), 'base64'))
  return nodes.every(({ length }) => length === 32) ? nodes : undefined
}

/** Reads line by line, so that the text of a whole archive is never held. */
export class SegmentReader {
  #header: SegmentHeader | undefined
  readonly #lines: LogLine[] = []

  /** @throws SyntaxError that names the line */
  push(text: string): void {
    if (this.#header) this.#lines.push(readLine(text, this.#lines.length + 1))
    else this.#header = readSegmentHeader(text)
  }

  /** @throws SyntaxError when no line was pushed */
  end(): Segment {
    return segmentOf(this.#header ?? readSegmentHeader(''), this.#lines)
  }
}

/** An archive says nothing of the database's present: what waits to be sealed and its counter stay behind. */
export function segmentOf(header: SegmentHeader, lines: readonly LogLine[]): Segment {
  const none = { type: 'header', format: 1, batchCounter: 0, exportedAt: '' } as const
  return { header, log: collect([none, ...lines]) }
}
