import type pg from 'pg'
import type { LogBatch, LogLine, LogRecord, LogSeal } from '#core/audit/export'
import type { SegmentHeader } from '#core/audit/segment'
import { PalisadeError } from '#core/problem'
import { becomeAuditor } from './audit-reading.ts'

/** Places of one epoch, both ends included; `last` is where a batch ends. */
export interface LogRange {
  readonly epoch: number
  readonly first: number
  readonly last: number
}

/** Up to a place of the log, or to what had been sealed before a moment. */
export type Until = { readonly epoch?: number; readonly seq: number } | { readonly before: Date }

const PAGE = 5_000

/** One consistent picture, read as palisade_auditor, which needs a noted reading: to any other role the log looks empty. */
export async function asAuditor<T>(client: pg.Client, use: () => Promise<T>): Promise<T> {
  await client.query('begin isolation level repeatable read read only')
  try {
    await becomeAuditor(client)
    return await use()
  } finally {
    await client.query('rollback')
  }
}

interface RangeRow {
  readonly epoch: number
  readonly begins: string
  readonly last: string
  readonly cut: string | null
}

/** For each epoch, from the first record that is still there to the last whole batch within `until`. */
export async function rangesUntil(client: pg.Client, until: Until): Promise<LogRange[]> {
  const values =
    'before' in until ? [until.before, null, null] : [null, until.epoch ?? null, until.seq]
  const { rows } = await client.query<RangeRow>(
    `select b.epoch, min(b.first) as begins, max(b.last) as last,
       (select max(c.last) from palisade.audit_cuts c where c.epoch = b.epoch) as cut
     from palisade.audit_batches b
     where b.sealed_at < $1::timestamptz
       or (b.epoch, b.last) <= (coalesce($2::integer, (select max(epoch) from palisade.audit_batches)), $3::bigint)
     group by b.epoch order by b.epoch`,
    values,
  )
  return rows.map(({ epoch, begins, last, cut }) => ({
    epoch,
    first: cut === null ? Number(begins) : Number(cut) + 1,
    last: Number(last),
  }))
}

/** The beginning of a range in whole batches, with as many records as `size` or, where one batch has more, that batch. */
export async function pieceOf(
  client: pg.Client,
  { epoch, first, last }: LogRange,
  size: number,
): Promise<LogRange> {
  const { rows } = await client.query<{ last: string }>(
    `select coalesce(max(last) filter (where last < $2::bigint + $4::bigint), min(last)) as last
     from palisade.audit_batches where epoch = $1 and first >= $2 and last <= $3`,
    [epoch, first, last, size],
  )
  return { epoch, first, last: Number(rows[0]?.last ?? last) }
}

/** The batch that a place belongs to. */
export async function batchOf(client: pg.Client, recordId: string): Promise<LogRange | undefined> {
  const { rows } = await client.query<{ epoch: number; first: string; last: string }>(
    `select b.epoch, b.first, b.last from palisade.audit_seals s
     join palisade.audit_batches b on b.epoch = s.epoch and s.seq between b.first and b.last
     where s.record_id = $1`,
    [recordId],
  )
  const [row] = rows
  return row && { epoch: row.epoch, first: Number(row.first), last: Number(row.last) }
}

/** A piece of the log in the order of its places: the same piece gives the same lines. */
export async function* segmentLines(
  client: pg.Client,
  range: LogRange,
): AsyncGenerator<SegmentHeader | LogLine> {
  yield { type: 'segment', format: 1, ...range, ...(await edgesBefore(client, range)) }
  yield* batches(client, range)
  for (let from = range.first; from <= range.last; from += PAGE) {
    yield* page(client, { ...range, first: from, last: Math.min(range.last, from + PAGE - 1) })
  }
}

async function edgesBefore(client: pg.Client, { epoch, first }: LogRange) {
  if (first === 1) return { frontier: [], numberingFrontier: [] }
  const { rows } = await client.query<Pick<SegmentHeader, 'frontier' | 'numberingFrontier'>>(
    `select frontier, numbering_frontier as "numberingFrontier"
     from palisade.audit_batches where epoch = $1 and last = $2`,
    [epoch, first - 1],
  )
  const [edges] = rows
  if (edges) return edges
  throw new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', `no batch ends at ${epoch}/${first - 1}`, {
    remedy: 'archive and cut whole batches, in the order of the log',
  })
}

async function* batches(client: pg.Client, range: LogRange): AsyncGenerator<LogBatch> {
  type Row = Omit<LogBatch, 'type' | 'first' | 'last'> & { first: string; last: string }
  for (let after = range.first - 1; ;) {
    const { rows } = await client.query<Row>(
      `select epoch, first, last, root, prev_root as "prevRoot", frontier,
         numbering_frontier as "numberingFrontier", checkpoint
       from palisade.audit_batches where epoch = $1 and last > $2 and last <= $3 order by last limit $4`,
      [range.epoch, after, range.last, PAGE],
    )
    for (const { first, last, ...row } of rows) {
      yield { type: 'batch', ...row, first: Number(first), last: Number(last) }
    }
    if (rows.length < PAGE) return
    after = Number(rows.at(-1)?.last)
  }
}

async function* page(
  client: pg.Client,
  { epoch, first, last }: LogRange,
): AsyncGenerator<LogSeal | LogRecord> {
  type Row = Omit<LogSeal, 'type' | 'seq' | 'tenantSeq'> & {
    seq: string
    tenant_seq: string
    key: string | null
    record: Buffer
    mac: Buffer
  }
  const { rows } = await client.query<Row>(
    `select s.epoch, s.seq, s.record_id as id, s.tenant_id as tenant, s.tenant_seq, s.leaf,
       l.mac_key_id as key, l.record, l.mac
     from palisade.audit_seals s left join palisade.secret_audit_logs l on l.id = s.record_id
     where s.epoch = $1 and s.seq between $2 and $3 order by s.seq`,
    [epoch, first, last],
  )
  for (const { seq, tenant_seq, key, record, mac, ...seal } of rows) {
    yield { type: 'seal', ...seal, seq: Number(seq), tenantSeq: Number(tenant_seq) }
    if (key !== null) {
      yield { type: 'record', id: seal.id, tenant: seal.tenant, key, record, mac }
    }
  }
}
