import type { AuditEvent, AuditEventType } from '#api/audit-event'

export type Severity = 'informational' | 'low' | 'medium' | 'high'

/** What somebody should look at even when it went as it was meant to. */
const OF_TYPE: Partial<Readonly<Record<AuditEventType, Severity>>> = {
  'auth.refresh-reuse': 'high',
  'auth.lockout': 'medium',
  'break-glass.request': 'medium',
  'break-glass.approve': 'high',
  'audit.export': 'low',
  'audit.read': 'low',
  'audit.intake-conflict': 'high',
  'audit.cut': 'high',
  'audit.epoch-opened': 'high',
  'rotation.fail': 'medium',
}

const OF_OUTCOME: Readonly<Record<AuditEvent['outcome'], Severity>> = {
  success: 'informational',
  refused: 'low',
  failed: 'medium',
  unknown: 'medium',
}

export const severityOf = ({ eventType, outcome }: Pick<AuditEvent, 'eventType' | 'outcome'>) =>
  // What a newer program recorded may be called toString.
  (Object.hasOwn(OF_TYPE, eventType) ? OF_TYPE[eventType] : undefined) ?? OF_OUTCOME[outcome]
