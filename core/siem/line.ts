import type { AuditEvent } from '#api/audit-event'
import type { AuditPlace, ExportFormat } from '#api/rest/audit'
import { momentOf } from '../uuid.ts'
import { toCef } from './cef.ts'
import { isLegible } from './legible.ts'
import { toOcsf } from './ocsf.ts'

export interface ExportedRecord {
  readonly id: string
  readonly tenant: string
  /** null: what lies there cannot be read. */
  readonly record: AuditEvent | null
  readonly place: AuditPlace | null
}

/** One record as one line. What somebody damaged is a line as well, which says so: it must not be missing in silence. */
export function exportLine(one: ExportedRecord, format: ExportFormat): string {
  const { id, tenant, record, place } = one
  if (format === 'jsonl') return JSON.stringify({ id, tenant, place, record })
  const event = record ?? damaged(id, tenant)
  return format === 'cef' ? toCef(event, place) : JSON.stringify(toOcsf(event, place))
}

/** The time is the one of the id, of version 7. */
const damaged = (id: string, tenant: string): AuditEvent => ({
  format: 1,
  id,
  time: momentOf(id).toISOString(),
  tenant,
  eventType: 'request.failed',
  outcome: 'failed',
  code: 'ERR_AUDIT_TAMPERED',
  actor: { kind: 'anonymous', id: 'unknown' },
  subject: { kind: 'log', id: 'damaged-record' },
  request: { id },
  writer: 'unknown',
  macKey: 'unknown',
})

/**
 * A record from its stored bytes; null for what cannot be read or is no record: it is shown as damaged, not left out,
 * and whoever shows it need not fear what stands in it.
 */
export function readRecord(bytes: Uint8Array): AuditEvent | null {
  try {
    const record: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return isLegible(record) ? record : null
  } catch {
    return null
  }
}
