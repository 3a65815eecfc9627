import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { dueAt } from './schedule.ts'

/** Counted from the record, not from the status, which anyone may lose. */
export function nextRotation(
  rotation: SecretRotation,
  lastRotationTime: string | undefined,
): Date | undefined {
  if (lastRotationTime === undefined) return undefined
  return dueAt(rotation.spec.schedule, new Date(lastRotationTime), rotation.metadata.uid ?? '')
}
