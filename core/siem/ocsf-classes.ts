import type { AuditEventType } from '#api/audit-event'

/** Version of the Open Cybersecurity Schema Framework that the numbers below are from. */
export const OCSF_VERSION = '1.6.0'

/** Classes and, in each, the activities that we have use for. */
export const CLASSES = {
  accountChange: { uid: 3001, category: 3, activities: { create: 1, delete: 6, lock: 9 } },
  authentication: {
    uid: 3002,
    category: 3,
    activities: { logon: 1, logoff: 2, ticketRenewed: 5, other: 99 },
  },
  authorizeSession: { uid: 3003, category: 3, activities: { assignPrivileges: 1 } },
  entityManagement: {
    uid: 3004,
    category: 3,
    activities: {
      ...{ create: 1, read: 2, update: 3, delete: 4, enroll: 6, unenroll: 7, enable: 8 },
      ...{ disable: 9, activate: 10, deactivate: 11, suspend: 12, other: 99 },
    },
  },
  apiActivity: {
    uid: 6003,
    category: 6,
    activities: { read: 2, update: 3, delete: 4, other: 99 },
  },
} as const

type ClassName = keyof typeof CLASSES

/** `[class, activity]`, of which the second must be one of the first. */
export type OcsfKind = {
  readonly [C in ClassName]: readonly [C, keyof (typeof CLASSES)[C]['activities']]
}[ClassName]

/** What each event is there. A new type of event does not compile until it has its line. */
export const OCSF_KINDS: Readonly<Record<AuditEventType, OcsfKind>> = {
  'auth.login': ['authentication', 'logon'],
  'auth.login-second-factor': ['authentication', 'logon'],
  'auth.refresh': ['authentication', 'ticketRenewed'],
  'auth.refresh-reuse': ['authentication', 'other'],
  'auth.logout': ['authentication', 'logoff'],
  'auth.lockout': ['accountChange', 'lock'],
  'auth.token-refused': ['authentication', 'other'],
  'auth.sessions-revoked': ['authentication', 'logoff'],
  'access.refused': ['apiActivity', 'other'],
  'request.rate-limited': ['apiActivity', 'other'],
  'request.failed': ['apiActivity', 'other'],
  'refusals.counted': ['apiActivity', 'other'],
  'secret.list': ['apiActivity', 'read'],
  'secret.read': ['apiActivity', 'read'],
  'secret.write': ['apiActivity', 'update'],
  'secret.delete': ['apiActivity', 'delete'],
  'secret.restore': ['apiActivity', 'update'],
  'secret.share': ['apiActivity', 'update'],
  'secret.unshare': ['apiActivity', 'update'],
  'api-key.issue': ['entityManagement', 'create'],
  'api-key.rotate': ['entityManagement', 'update'],
  'api-key.revoke': ['entityManagement', 'delete'],
  'user.create': ['accountChange', 'create'],
  'user.erase': ['accountChange', 'delete'],
  'tenant.create': ['entityManagement', 'create'],
  'tenant.erase': ['entityManagement', 'delete'],
  'grant.request': ['entityManagement', 'create'],
  'grant.approve': ['entityManagement', 'activate'],
  'grant.deny': ['entityManagement', 'deactivate'],
  'grant.revoke': ['entityManagement', 'deactivate'],
  'grant.expire': ['entityManagement', 'deactivate'],
  'mcp.session': ['authorizeSession', 'assignPrivileges'],
  'mcp.call': ['apiActivity', 'other'],
  'mcp.result': ['apiActivity', 'other'],
  'break-glass.request': ['entityManagement', 'create'],
  'break-glass.approve': ['entityManagement', 'activate'],
  'key.create': ['entityManagement', 'create'],
  'key.rotate': ['entityManagement', 'update'],
  'key.destroy': ['entityManagement', 'delete'],
  'audit.search': ['apiActivity', 'read'],
  'audit.export': ['apiActivity', 'read'],
  'audit.read': ['apiActivity', 'read'],
  'audit.intake-conflict': ['apiActivity', 'other'],
  'audit.cut': ['entityManagement', 'delete'],
  'audit.epoch-opened': ['entityManagement', 'create'],
  'audit.key-rotated': ['entityManagement', 'update'],
  'rotation.claim': ['entityManagement', 'enroll'],
  'rotation.adopt': ['entityManagement', 'enroll'],
  'rotation.begin': ['entityManagement', 'update'],
  'rotation.set': ['entityManagement', 'update'],
  'rotation.test': ['entityManagement', 'read'],
  'rotation.publish': ['entityManagement', 'activate'],
  'rotation.restart': ['entityManagement', 'update'],
  'rotation.switched': ['entityManagement', 'update'],
  'rotation.hold': ['entityManagement', 'suspend'],
  'rotation.disable': ['entityManagement', 'disable'],
  'rotation.force-disable': ['entityManagement', 'disable'],
  'rotation.enable-again': ['entityManagement', 'enable'],
  'rotation.destroy': ['entityManagement', 'delete'],
  'rotation.roll-back': ['entityManagement', 'update'],
  'rotation.complete': ['entityManagement', 'update'],
  'rotation.fail': ['entityManagement', 'update'],
  'rotation.release': ['entityManagement', 'unenroll'],
  'rotation.abandon': ['entityManagement', 'unenroll'],
  'rotation.orphan': ['entityManagement', 'unenroll'],
  'rotation.folded': ['entityManagement', 'other'],
  'grant.requested-by-resource': ['entityManagement', 'create'],
  'grant.revoked-by-resource': ['entityManagement', 'deactivate'],
}
