import { randomBytes, randomUUID } from 'node:crypto'
import { signRecord } from '../../core/audit/record.ts'
import { systemClock } from '../../core/clock.ts'
import { momentOf, uuidV7 } from '../../core/uuid.ts'
import { PLATFORM_TENANT } from '../../api/audit-event.ts'
import type { AuditRow, ReportedStep } from '../../gateway/ports/audit-records.ts'
import type { Caller } from '../../gateway/ports/callers.ts'
import type { ReadSecret, WriteSecret } from '../../gateway/ports/secrets.ts'

/** Builders of what a caller hands to the store, hiding what a case does not care about. */

export const MAC_KEY = { id: 'test-key', secret: Buffer.alloc(32, 9) }

export function caller(overrides: Partial<Caller> = {}): Caller {
  const userId = randomUUID()
  return { userId, tenantId: userId, roles: ['user'], tokenVersion: 0, tokenId: 't', ...overrides }
}

export function auditRow(tenantId: string, action = 'secret.write'): AuditRow {
  const id = uuidV7(systemClock)
  const time = momentOf(id).toISOString()
  const names = { format: 1, id, macKey: MAC_KEY.id, tenant: tenantId, time }
  const event = { ...names, action, outcome: 'success' }
  const { bytes, mac, leaf, keyId } = signRecord(event, MAC_KEY)
  return { id, formatVersion: 1, tenantId, writer: 'test', keyId, bytes, mac, leaf }
}

export function writeWish(who: Caller, overrides: Partial<WriteSecret> = {}): WriteSecret {
  const secretId = overrides.secretId ?? randomUUID()
  const expected = overrides.expected ?? 0
  const name = overrides.name ?? `secret-${secretId}`
  const version = expected + 1
  return {
    name,
    secretId,
    expected,
    sealed: {
      version,
      format: 1,
      algorithm: 'A256GCM',
      nonce: randomBytes(12),
      ciphertext: randomBytes(40),
      wrappedKey: 'wrapped',
    },
    head: {
      secretId,
      name,
      currentVersion: version,
      deleted: false,
      keyId: 'h',
      mac: randomBytes(32),
    },
    audit: auditRow(who.tenantId),
    idempotency: null,
    ...overrides,
  }
}

export function readWish(
  who: Caller,
  name: string,
  overrides: Partial<ReadSecret> = {},
): ReadSecret {
  const audit = overrides.audit ?? {
    read: auditRow(who.tenantId, 'read'),
    absent: auditRow(who.tenantId, 'absent'),
  }
  return { name, version: null, expected: 1, audit, ...overrides }
}

export function reportedStep(
  overrides: Partial<ReportedStep> = {},
  tenantId = PLATFORM_TENANT,
): ReportedStep {
  return {
    resource: 'uid-1',
    rotationId: randomUUID(),
    seq: 1,
    type: 'rotation.begin',
    digest: Buffer.alloc(32, 1),
    audit: auditRow(tenantId, 'rotation.begin'),
    ...overrides,
  }
}
