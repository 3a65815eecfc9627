import type { AlertCase } from './alert-cases/alert-case.ts'
import { AUDIT_CASES } from './alert-cases/audit.ts'
import { CERTIFICATE_CASES } from './alert-cases/certificates.ts'
import { DATABASE_CASES } from './alert-cases/database.ts'
import { GATEWAY_CASES } from './alert-cases/gateway.ts'
import { LOGIN_CASES } from './alert-cases/logins.ts'
import { OPERATOR_CASES } from './alert-cases/operator.ts'
import { PART_CASES } from './alert-cases/parts.ts'
import { REFUSAL_CASES } from './alert-cases/refusals.ts'
import { ROTATION_CASES } from './alert-cases/rotation.ts'

/** One sample every 15 seconds, as the platform scrapes. */
export const CASES: Readonly<Record<string, AlertCase>> = {
  ...AUDIT_CASES,
  ...CERTIFICATE_CASES,
  ...DATABASE_CASES,
  ...GATEWAY_CASES,
  ...LOGIN_CASES,
  ...OPERATOR_CASES,
  ...PART_CASES,
  ...REFUSAL_CASES,
  ...ROTATION_CASES,
}

/** Filled again at once, and nevertheless told. */
export const PLACE_EMPTIED: AlertCase['fires'] = {
  series: {
    'palisade_audit_empty_place_timestamp_seconds{job="sealer",sink="object-store"}': '0x80',
    'palisade_audit_empty_place_timestamp_seconds{job="sealer",sink="vault"}': '0x20 300x60',
  },
  at: '12m',
  labels: { sink: 'vault' },
  summary: 'Checkpoints of the audit log do not reach vault, or were gone from it.',
}

/** Nothing is measured then, and that must not pass for nothing to seal. */
export const SEALER_GONE: AlertCase['fires'] = {
  series: {},
  at: '4m',
  summary: 'Audit records wait unsealed.',
}

/** It has no silent case: its silence is the alarm. */
export const HEARTBEAT_CASE: AlertCase['fires'] = {
  series: {},
  at: '1m',
  summary: 'The path of alerts works.',
}
