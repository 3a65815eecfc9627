/** The actions that the operator may report: a closed list, bound to its identity at the receiver. */
export const AUDIT_ACTIONS = [
  'rotation.claim',
  'rotation.begin',
  'rotation.publish',
  'rotation.restart',
  'rotation.disable',
  'rotation.enable-again',
  'rotation.destroy',
  'rotation.complete',
  'rotation.release',
  'rotation.abandon',
  'rotation.orphan',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export interface AuditEntry {
  readonly action: AuditAction
  /** With the sequence number, the receiver's idempotency key. */
  readonly rotationId: string
  readonly seq: number
  readonly at: string
  /** Names and numbers only; never a value. */
  readonly details: Readonly<Record<string, string | number>>
}

/** A receiver that takes nothing for months; the oldest stay, for they tell how it began, and the record fits a request. */
const MOST = 2_000

export const enqueue = (outbox: readonly AuditEntry[], entry: AuditEntry): readonly AuditEntry[] =>
  outbox.length < MOST ? [...outbox, entry] : outbox

export const withoutDelivered = (
  outbox: readonly AuditEntry[],
  delivered: readonly AuditEntry[],
): readonly AuditEntry[] => {
  const gone = new Set(delivered.map((entry) => `${entry.rotationId}/${entry.seq}/${entry.action}`))
  return outbox.filter((entry) => !gone.has(`${entry.rotationId}/${entry.seq}/${entry.action}`))
}

/** Seconds since the oldest entry that nobody has taken yet; 0 when all are delivered. */
export const undeliveredAge = (outbox: readonly AuditEntry[], now: Date): number => {
  const oldest = outbox[0]
  return oldest ? Math.max(0, (now.getTime() - Date.parse(oldest.at)) / 1000) : 0
}
