import type { RotationReason as ConditionReason } from '#api/v1alpha1/conditions'
import type { ErrorCode } from '#api/error-codes'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { bindingCommand } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import { ApiError, lacksRight } from '../runtime/api-error.ts'
import type { Standing } from './describe.ts'
import type { Refusal } from './eligibility.ts'

/** How an error of the catalogue shows in a condition; the second word says whether waiting can mend it. */
const SHOWN: Partial<Record<ErrorCode, readonly [ConditionReason, 'waits' | 'stalls']>> = {
  ERR_BACKEND_UNREACHABLE: ['BackendUnreachable', 'waits'],
  ERR_BACKEND_REFUSED: ['BackendRefused', 'stalls'],
  ERR_STORE_UNREACHABLE: ['StoreUnreachable', 'waits'],
  ERR_STORE_REFUSED: ['StoreRefused', 'stalls'],
  ERR_NAMESPACE_NOT_ENABLED: ['NamespaceNotEnabled', 'stalls'],
  ERR_CLAIMED_BY_OTHER: ['ClaimedByOther', 'stalls'],
  ERR_NOT_ENROLLED: ['NotEnrolled', 'stalls'],
  ERR_STALE_FENCE: ['StaleFence', 'stalls'],
  ERR_NEW_VALUE_REFUSED: ['NewValueRefused', 'waits'],
  ERR_SECRET_NOT_OURS: ['SecretNotOurs', 'stalls'],
  ERR_SECRET_INVALID: ['SpecUnusable', 'stalls'],
}

export function troubleOf(error: unknown, rotation: SecretRotation): Standing | undefined {
  if (error instanceof ApiError && error.status === 403) {
    const shown = forbidden(error, rotation.metadata.namespace ?? '')
    return { ready: readyBefore(rotation), reconciling: false, stalled: true, ...shown }
  }
  if (!(error instanceof PalisadeError)) return undefined
  const [reason, manner] = SHOWN[error.code] ?? ['BackendRefused', 'stalls']
  return {
    ready: readyBefore(rotation),
    reconciling: manner === 'waits',
    stalled: manner === 'stalls',
    reason,
    message: error.message,
  }
}

/** Only what RBAC refuses is given by the RoleBinding; admission, a quota and a namespace that goes answer 403 too. */
function forbidden(error: ApiError, namespace: string): Pick<Standing, 'reason' | 'message'> {
  const cause = `the API server refused the operator: ${error.message}`
  return lacksRight(error, namespace)
    ? { reason: 'NamespaceNotEnabled', message: `${cause}; bind it: ${bindingCommand(namespace)}` }
    : { reason: 'BackendRefused', message: `${cause}; mend what it names, it is tried again` }
}

export const standingOfRefusal = (
  { reason, message }: Refusal,
  rotation: SecretRotation,
): Standing => ({
  ready: rotation.status?.version === undefined ? 'False' : readyBefore(rotation),
  reconciling: false,
  stalled: true,
  reason,
  message,
})

/** A published value stays good while the operator is in trouble. */
const readyBefore = (rotation: SecretRotation): Standing['ready'] =>
  rotation.status?.version === undefined ? 'False' : 'True'
