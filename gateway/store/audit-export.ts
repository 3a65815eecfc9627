import type pg from 'pg'
import type { LogBatch, LogLine, LogPending, LogRecord, LogSeal } from '#core/audit/export'
import { becomeAuditor, noteReading, type Reading } from './audit-reading.ts'

const PAGE = 5_000

type Numeric = string

/**
 * The whole log as one consistent picture, in pages, once the reading is noted. Read as palisade_auditor: for any other
 * role row-level security would make it look empty, which a verifier could not tell from the truth.
 */
export async function* exportLog(
  client: pg.Client,
  now: Date,
  reading: Reading = { purpose: 'export', format: 'jsonl' },
): AsyncGenerator<LogLine> {
  await noteReading(client, reading)
  await client.query('begin isolation level repeatable read read only')
  try {
    await becomeAuditor(client)
    const { rows } = await client.query<{ counter: Numeric }>(
      `select case when is_called then last_value else 0 end as counter from palisade.audit_batch_counter`,
    )
    const batchCounter = Number(rows[0]?.counter ?? 0)
    yield { type: 'header', format: 1, batchCounter, exportedAt: now.toISOString() }
    yield* records(client)
    yield* pending(client)
    yield* seals(client)
    yield* batches(client)
  } finally {
    await client.query('rollback')
  }
}

export async function* pages<Row extends pg.QueryResultRow>(
  client: pg.Client,
  declare: string,
  fetch: string,
): AsyncGenerator<Row> {
  await client.query(declare)
  for (;;) {
    const { rows } = await client.query<Row>(fetch)
    yield* rows
    if (rows.length < PAGE) return
  }
}

async function* records(client: pg.Client): AsyncGenerator<LogRecord> {
  const declare = `declare records no scroll cursor for
    select id, tenant_id as tenant, mac_key_id as key, record, mac from palisade.secret_audit_logs order by inserted_at, id`
  for await (const row of pages<Omit<LogRecord, 'type'>>(
    client,
    declare,
    'fetch 5000 from records',
  )) {
    yield { type: 'record', ...row }
  }
}

async function* pending(client: pg.Client): AsyncGenerator<LogPending> {
  const declare = `declare pending no scroll cursor for
    select record_id as id, leaf from palisade.audit_pending order by since, record_id`
  for await (const row of pages<Omit<LogPending, 'type'>>(
    client,
    declare,
    'fetch 5000 from pending',
  )) {
    yield { type: 'pending', ...row }
  }
}

async function* seals(client: pg.Client): AsyncGenerator<LogSeal> {
  const declare = `declare seals no scroll cursor for
    select epoch, seq, record_id as id, tenant_id as tenant, tenant_seq, leaf from palisade.audit_seals order by epoch, seq`
  type Row = Omit<LogSeal, 'type' | 'seq' | 'tenantSeq'> & { seq: Numeric; tenant_seq: Numeric }
  for await (const { seq, tenant_seq, ...row } of pages<Row>(
    client,
    declare,
    'fetch 5000 from seals',
  )) {
    yield { type: 'seal', ...row, seq: Number(seq), tenantSeq: Number(tenant_seq) }
  }
}

async function* batches(client: pg.Client): AsyncGenerator<LogBatch> {
  const declare = `declare batches no scroll cursor for
    select epoch, first, last, root, prev_root as "prevRoot", frontier, numbering_frontier as "numberingFrontier", checkpoint
    from palisade.audit_batches order by epoch, last`
  type Row = Omit<LogBatch, 'type' | 'first' | 'last'> & { first: Numeric; last: Numeric }
  for await (const { first, last, ...row } of pages<Row>(
    client,
    declare,
    'fetch 5000 from batches',
  )) {
    yield { type: 'batch', ...row, first: Number(first), last: Number(last) }
  }
}
