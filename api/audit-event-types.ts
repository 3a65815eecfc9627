/** What the gateway records. Closed: a record of another type is not written. */
export const GATEWAY_EVENT_TYPES = [
  'auth.login',
  'auth.login-second-factor',
  'auth.refresh',
  'auth.refresh-reuse',
  'auth.logout',
  'auth.lockout',
  'auth.token-refused',
  'auth.sessions-revoked',
  'access.refused',
  'request.rate-limited',
  'request.failed',
  'refusals.counted',
  'secret.list',
  'secret.read',
  'secret.write',
  'secret.delete',
  'secret.restore',
  'secret.share',
  'secret.unshare',
  'api-key.issue',
  'api-key.rotate',
  'api-key.revoke',
  'user.create',
  'user.erase',
  'tenant.create',
  'tenant.erase',
  'grant.request',
  'grant.approve',
  'grant.deny',
  'grant.revoke',
  'grant.expire',
  'mcp.session',
  'mcp.call',
  'mcp.result',
  'break-glass.request',
  'break-glass.approve',
  'key.create',
  'key.rotate',
  'key.destroy',
  'audit.search',
  'audit.export',
  'audit.read',
  'audit.intake-conflict',
] as const

/** What the sealer and the people who recover a log record. */
export const SEALER_EVENT_TYPES = ['audit.epoch-opened', 'audit.key-rotated', 'audit.cut'] as const

/** What the operator may report to /audit/ingest; bound there to its identity. */
export const OPERATOR_EVENT_TYPES = [
  'rotation.claim',
  'rotation.adopt',
  'rotation.begin',
  'rotation.set',
  'rotation.test',
  'rotation.publish',
  'rotation.restart',
  'rotation.switched',
  'rotation.hold',
  'rotation.disable',
  'rotation.force-disable',
  'rotation.enable-again',
  'rotation.destroy',
  'rotation.roll-back',
  'rotation.complete',
  'rotation.fail',
  'rotation.release',
  'rotation.abandon',
  'rotation.orphan',
  'rotation.folded',
  'grant.requested-by-resource',
  'grant.revoked-by-resource',
] as const

export const AUDIT_EVENT_TYPES = [
  ...GATEWAY_EVENT_TYPES,
  ...SEALER_EVENT_TYPES,
  ...OPERATOR_EVENT_TYPES,
] as const

export type GatewayEventType = (typeof GATEWAY_EVENT_TYPES)[number]
export type SealerEventType = (typeof SEALER_EVENT_TYPES)[number]
export type OperatorEventType = (typeof OPERATOR_EVENT_TYPES)[number]
export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number]
