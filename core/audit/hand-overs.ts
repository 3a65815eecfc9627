import type { CheckedLog } from './checked-log.ts'
import { place, type Finding } from './findings.ts'
import { parseVerifier } from './note.ts'
import type { HandedOver } from './signing-keys.ts'
import { toldAt } from './told.ts'

/** A key that was handed over to without the record of it was put in beside the log. */
export function verifyHandOvers(log: CheckedLog, handOvers: readonly HandedOver[]): Finding[] {
  return handOvers
    .filter((handOver) => !isRecorded(log, handOver))
    .map(({ epoch, last }) => ({
      code: 'SignatureInvalid',
      where: place(epoch, last),
      detail: 'a key hands over here, and the record below it does not say so',
    }))
}

function isRecorded(log: CheckedLog, { epoch, last, keyIds, nextKey }: HandedOver): boolean {
  const event = toldAt(log, epoch, last)
  // Deleted, which is found as such, or cut after it was archived.
  if (event === 'gone') return true
  if (event === 'other' || event.eventType !== 'audit.key-rotated') return false
  const { oldKey, newKey } = event.details ?? {}
  return newKey === nextKey && keyIds.some((keyId) => keyId === idOf(oldKey))
}

function idOf(key: unknown): number | undefined {
  try {
    return parseVerifier(String(key)).keyId
  } catch {
    return undefined
  }
}
