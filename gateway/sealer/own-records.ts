import type pg from 'pg'
import {
  AUDIT_FORMAT,
  PLATFORM_TENANT,
  type AuditDetails,
  type AuditEvent,
  type SealerEventType,
} from '#api/audit-event'
import { signRecord, type MacKey } from '#core/audit/record'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { uuidV7 } from '#core/uuid'
import type { Leaf } from './append-batch.ts'

export interface OwnRecords {
  readonly clock: Clock
  /** Read when it is needed: the MAC key of records, the one that signs. */
  readonly macKey: () => Promise<MacKey>
}

export interface OwnEvent {
  readonly eventType: SealerEventType
  readonly subject: AuditEvent['subject']
  /** What led to it: the id of a recovery, or of the change of a key. */
  readonly request: string
  readonly details: AuditDetails
}

/** Inserts a record of the sealer, which the caller seals in the same transaction: it never waits in the queue. */
export async function insertOwnRecord(
  client: pg.ClientBase,
  records: OwnRecords | undefined,
  { eventType, subject, request, details }: OwnEvent,
): Promise<Leaf> {
  if (!records) {
    throw new PalisadeError('ERR_CONFIG_INVALID', `the sealer has no MAC key for ${eventType}`)
  }
  const key = await records.macKey()
  const time = records.clock.now()
  const event: AuditEvent = {
    format: AUDIT_FORMAT,
    id: uuidV7({ now: () => time }),
    time: time.toISOString(),
    tenant: PLATFORM_TENANT,
    eventType,
    outcome: 'success',
    actor: { kind: 'sealer', id: 'sealer' },
    subject,
    request: { id: request },
    writer: 'sealer',
    macKey: key.id,
    details,
  }
  const { bytes, mac, leaf } = signRecord(event, key)
  await client.query('select palisade.add_sealer_record($1, $2::smallint, $3, $4, $5)', [
    event.id,
    AUDIT_FORMAT,
    key.id,
    bytes,
    mac,
  ])
  return { record_id: event.id, tenant_id: PLATFORM_TENANT, leaf }
}
