import { Type, type Static } from 'typebox'
import { fields, time, words } from './schema.ts'

/** metav1.Condition. `Ready` sums up; `Reconciling` and `Stalled` follow kstatus. */
export const Condition = fields(
  {
    type: Type.String({ description: 'Name of the condition.', maxLength: 64 }),
    status: words(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'Generation of the spec that was judged.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    lastTransitionTime: time('When the status last changed.'),
    reason: Type.String({
      description: 'One word for machines.',
      pattern: '^[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?$',
      minLength: 1,
      maxLength: 64,
    }),
    message: Type.String({
      description: 'A sentence for people; never a secret.',
      maxLength: 4096,
    }),
  },
  { description: 'One observation about the resource.' },
)
export type Condition = Static<typeof Condition>

export const Conditions = Type.Array(Condition, {
  description: 'Ready, Reconciling, Stalled, and what the kind adds.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
})

export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'NoOverlap' | 'RefusalsUnseen'

/** Reasons of a SecretRotation, from calm to broken. A new one must be handled wherever they are switched on. */
export const ROTATION_REASONS = [
  'UpToDate',
  'Pending',
  'Rotating',
  'RollingBack',
  'Releasing',
  'Suspended',
  'WaitingForWindow',
  'WaitingForTurn',
  'ConsumersLagBehind',
  'PreviousStillInUse',
  'PreviousUserRefused',
  'SessionsUnknown',
  'RolledBack',
  'CurrentIsRefused',
  'ConsumerUnhealthy',
  'NewValueRefused',
  'BackendUnreachable',
  'BackendRefused',
  'StoreUnreachable',
  'StoreRefused',
  'SpecUnusable',
  'NotSupported',
  'BackendNotFound',
  'NamespaceNotAllowed',
  'NamespaceNotEnabled',
  'NameOutsidePattern',
  'NotEnrolled',
  'PreflightFailed',
  'ClaimedByOther',
  'SecretNotOurs',
  'OverlapEnded',
  'NoOverlap',
  'StaleFence',
] as const
export type RotationReason = (typeof ROTATION_REASONS)[number]

/** Reasons of an McpGrant. */
export const GRANT_REASONS = [
  'Granted',
  'Pending',
  'AwaitingApproval',
  'AwaitingConfirmation',
  'Denied',
  'Expired',
  'Revoked',
  'SpecUnusable',
  'NotSupported',
  'GatewayUnreachable',
] as const
export type GrantReason = (typeof GRANT_REASONS)[number]

/** Reasons of a RotationBackend. */
export const BACKEND_REASONS = [
  'Reachable',
  'Pending',
  'BackendUnreachable',
  'BackendRefused',
  'CertificateNotTrusted',
  'SpecUnusable',
] as const
export type BackendReason = (typeof BACKEND_REASONS)[number]
