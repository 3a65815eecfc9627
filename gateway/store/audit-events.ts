import type pg from 'pg'
import { readRecord, type ExportedRecord } from '#core/siem/line'
import { pages } from './audit-export.ts'
import { becomeAuditor, noteReading, type Reading } from './audit-reading.ts'

interface Row {
  readonly id: string
  readonly tenant: string
  readonly record: Buffer
  readonly epoch: number | null
  readonly seq: string | null
  readonly tenant_seq: string | null
}

/**
 * Records of a span of time with their place, oldest first, as palisade_auditor, once the reading is noted.
 *
 * @param after id that comes before the first wanted; @param before id that comes behind the last
 */
export async function* exportRecords(
  client: pg.Client,
  { after, before }: { readonly after: string; readonly before: string },
  reading: Reading,
): AsyncGenerator<ExportedRecord> {
  await noteReading(client, reading)
  await client.query('begin isolation level repeatable read read only')
  try {
    await becomeAuditor(client)
    await client.query(
      `select set_config('palisade.after', $1, true), set_config('palisade.before', $2, true)`,
      [after, before],
    )
    // A cursor takes no parameters of its own.
    const declare = `declare events no scroll cursor for
      select l.id, l.tenant_id as tenant, l.record, s.epoch, s.seq, s.tenant_seq
      from palisade.secret_audit_logs l left join palisade.audit_seals s on s.record_id = l.id
      where l.id > current_setting('palisade.after')::uuid and l.id < current_setting('palisade.before')::uuid
      order by l.id`
    for await (const row of pages<Row>(client, declare, 'fetch 5000 from events')) {
      const { id, tenant, record, epoch, seq, tenant_seq } = row
      const place =
        epoch === null ? null : { epoch, seq: Number(seq), tenantSeq: Number(tenant_seq) }
      yield { id, tenant, record: readRecord(record), place }
    }
  } finally {
    await client.query('rollback')
  }
}
