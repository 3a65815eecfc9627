/**
 * An audit log outside its database: JSON lines, one thing per line, bytes as base64. It holds all that a verifier
 * needs and nothing that opens a value.
 */

export interface LogHeader {
  readonly type: 'header'
  readonly format: 1
  /** How often a batch was begun in this database; a DELETE does not take it back, a restored dump does. */
  readonly batchCounter: number
  readonly exportedAt: string
}

export interface LogRecord {
  readonly type: 'record'
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly record: Buffer
  readonly mac: Buffer
}

export interface LogPending {
  readonly type: 'pending'
  readonly id: string
  readonly leaf: Buffer
}

export interface LogSeal {
  readonly type: 'seal'
  readonly epoch: number
  readonly seq: number
  readonly id: string
  readonly tenant: string
  readonly tenantSeq: number
  readonly leaf: Buffer
}

export interface LogBatch {
  readonly type: 'batch'
  readonly epoch: number
  readonly first: number
  readonly last: number
  readonly root: Buffer
  readonly prevRoot: Buffer
  readonly frontier: readonly Buffer[]
  readonly numberingFrontier: readonly Buffer[]
  readonly checkpoint: string
}

export type LogLine = LogHeader | LogRecord | LogPending | LogSeal | LogBatch

export interface AuditLog {
  readonly header: LogHeader
  readonly records: readonly LogRecord[]
  readonly pending: readonly LogPending[]
  /** In order of (epoch, seq). */
  readonly seals: readonly LogSeal[]
  /** In order of (epoch, last). */
  readonly batches: readonly LogBatch[]
}

export function writeLine(line: LogLine): string {
  return JSON.stringify(line, (_key, value: unknown) => {
    // Buffer's own toJSON has been applied when a replacer sees it.
    const json = value as { type?: unknown; data?: unknown } | null
    return json !== null && typeof json === 'object' && json.type === 'Buffer'
      ? Buffer.from(json.data as number[]).toString('base64')
      : value
  })
}

export function collect(lines: Iterable<LogLine>): AuditLog {
  let header: LogHeader | undefined
  const records: LogRecord[] = []
  const pending: LogPending[] = []
  const seals: LogSeal[] = []
  const batches: LogBatch[] = []
  for (const line of lines) {
    switch (line.type) {
      case 'header':
        header = line
        break
      case 'record':
        records.push(line)
        break
      case 'pending':
        pending.push(line)
        break
      case 'seal':
        seals.push(line)
        break
      case 'batch':
        batches.push(line)
        break
    }
  }
  if (!header) throw new SyntaxError('the first line of an export is its header')
  seals.sort((a, b) => a.epoch - b.epoch || a.seq - b.seq)
  batches.sort((a, b) => a.epoch - b.epoch || a.last - b.last)
  return { header, records, pending, seals, batches }
}

const bytes = (value: unknown): Buffer => {
  if (typeof value !== 'string') throw new SyntaxError('bytes are base64')
  return Buffer.from(value, 'base64')
}

const manyBytes = (value: unknown): Buffer[] => {
  if (!Array.isArray(value)) throw new SyntaxError('a frontier is a list')
  return value.map(bytes)
}

/** How a line's members come back; those that are not named stay as they are. */
const MEMBERS: Readonly<
  Record<LogLine['type'], Readonly<Record<string, typeof bytes | typeof manyBytes>>>
> = {
  header: {},
  record: { record: bytes, mac: bytes },
  pending: { leaf: bytes },
  seal: { leaf: bytes },
  batch: { root: bytes, prevRoot: bytes, frontier: manyBytes, numberingFrontier: manyBytes },
}

/** @throws SyntaxError for whatever no exporter of ours has written */
export function parseLine(text: string): LogLine {
  const line = JSON.parse(text) as Record<string, unknown>
  const { type } = line
  if (type === 'header' && line['format'] !== 1) throw new SyntaxError('unknown format')
  if (typeof type !== 'string' || !Object.hasOwn(MEMBERS, type))
    throw new SyntaxError('unknown type')
  const members = MEMBERS[type as LogLine['type']]
  for (const member in members) line[member] = members[member]?.(line[member])
  return line as unknown as LogLine
}

/** @throws SyntaxError that names the line */
export function readLine(text: string, index: number): LogLine {
  try {
    return parseLine(text)
  } catch (error) {
    throw unreadable(index, (error as Error).message)
  }
}

export const unreadable = (index: number, why: string): SyntaxError =>
  new SyntaxError(`line ${index + 1} of the export: ${why}`)
