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

const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64')

/** @throws SyntaxError that names the line, for whatever no exporter of ours has written */
export function readLine(text: string, index: number): LogLine {
  try {
    const line = JSON.parse(text) as Record<string, unknown>
    if (line['type'] === 'header' && line['format'] !== 1) throw new SyntaxError('unknown format')
    const known = ['header', 'record', 'pending', 'seal', 'batch']
    if (!known.includes(String(line['type']))) throw new SyntaxError('unknown type')
    const single = ['record', 'mac', 'leaf', 'root', 'prevRoot']
    const lists = ['frontier', 'numberingFrontier']
    return Object.fromEntries(
      Object.entries(line).map(([key, value]) => {
        if (single.includes(key)) return [key, bytes(value)]
        return [key, lists.includes(key) ? (value as unknown[]).map(bytes) : value]
      }),
    ) as unknown as LogLine
  } catch (error) {
    throw new SyntaxError(`line ${index + 1} of the export: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
