import { hostname } from 'node:os'
import Value from 'typebox/value'
import { AUDIT_FORMAT, AuditEvent, PLATFORM_TENANT } from '#api/audit-event'
import type { Archive } from '#core/audit/archives'
import { signRecord } from '#core/audit/record'
import type { Evidence } from '#core/audit/verify'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { uuidV7 } from '#core/uuid'
import type { AuditRow } from '../gateway/ports/audit-records.ts'

export interface CutWish extends Archive, Pick<Evidence, 'verifiers' | 'macKeys'> {
  readonly keepDays: number
  readonly belowMinimum: boolean
}

/** What the log says of a cut, under the newest of the audit keys. */
export function cutRecord(
  login: string,
  { segment, digest, keepDays, belowMinimum, macKeys }: CutWish,
): AuditRow {
  const id = uuidV7(systemClock)
  const [macKey, secret] = [...macKeys].at(-1) ?? []
  if (macKey === undefined || secret === undefined) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no key for audit records')
  }
  const { epoch, first, last } = segment.header
  const writer = `cli/${hostname()}`
  const event: AuditEvent = {
    format: AUDIT_FORMAT,
    id,
    time: systemClock.now().toISOString(),
    tenant: PLATFORM_TENANT,
    eventType: 'audit.cut',
    outcome: 'success',
    actor: { kind: 'administrator', id: login },
    subject: { kind: 'log', id: 'audit' },
    request: { id },
    writer,
    macKey,
    details: {
      epoch,
      first,
      last,
      root: segment.log.batches.at(-1)?.root.toString('hex') ?? '',
      archive: digest,
      keepDays,
      ...(belowMinimum ? { belowMinimum: 1 } : {}),
    },
  }
  const signed = signRecord(Value.Parse(AuditEvent, event), { id: macKey, secret })
  return { id, formatVersion: AUDIT_FORMAT, tenantId: PLATFORM_TENANT, writer, ...signed }
}
