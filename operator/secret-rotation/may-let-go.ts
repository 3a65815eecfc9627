import type { ErrorCode } from '#api/error-codes'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { PalisadeError } from '#core/problem'
import type { Deps } from '../ports.ts'
import { isAbandoned } from './abandon.ts'

const TERMINATING_LIMIT_MS = 600_000
/** Retain needs no backend, but a fail-over is over by then, and so is what another replica had begun. */
const RETAIN_LIMIT_MS = 60_000
const MENDS_BY_ITSELF: ReadonlySet<ErrorCode> = new Set([
  'ERR_BACKEND_UNREACHABLE',
  'ERR_STALE_FENCE',
])

/** Whether what stands in the way of giving a credential back is a reason to leave it as it is. */
export async function mayLetGo(
  rotation: SecretRotation,
  error: PalisadeError,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  if (isAbandoned(rotation)) return true
  return rotation.spec.deletionPolicy === 'Retain'
    ? !(MENDS_BY_ITSELF.has(error.code) && deps.clock.now().getTime() < retainsUntil(rotation))
    : cannotComeBack(rotation, deps, signal)
}

/** The moment at which Retain waits for nothing any more. */
export const retainsUntil = ({ metadata: { deletionTimestamp = '' } }: SecretRotation): number =>
  Date.parse(deletionTimestamp) + RETAIN_LIMIT_MS

/** Sessions that are open on an instance which nobody can reach hold a release up no longer than its backend may. */
export const sessionsMayOutlive = (rotation: SecretRotation, now: Date): boolean => {
  const { deletionTimestamp = '' } = rotation.metadata
  const limit = rotation.spec.deletionPolicy === 'Retain' ? RETAIN_LIMIT_MS : TERMINATING_LIMIT_MS
  return !(now.getTime() < Date.parse(deletionTimestamp) + limit)
}

/** The backend was taken away, or the namespace has been going for long. */
async function cannotComeBack(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const name = rotation.spec.source.postgresRole?.connectionRef.name
  if (name === undefined || !(await deps.backends.find(name, signal))) return true
  const namespace = await deps.backends.namespaceLabels(rotation.metadata.namespace ?? '', signal)
  const since = namespace?.terminatingSince
  if (!namespace) return true
  return (
    since !== undefined && deps.clock.now().getTime() - Date.parse(since) > TERMINATING_LIMIT_MS
  )
}
