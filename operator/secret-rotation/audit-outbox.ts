import type { IngestDetails } from '#api/rest/audit-ingest'

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
  'rotation.folded',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export interface AuditEntry {
  readonly action: AuditAction
  /** With the resource and the sequence number, the receiver's idempotency key. */
  readonly rotationId: string
  readonly seq: number
  readonly at: string
  /** Of the resource whose step it was, where that is not the one that holds the record now. */
  readonly uid?: string
  /** Names and numbers only; never a value. */
  readonly details: IngestDetails
}

/** A receiver that takes nothing for months; the record still fits a request. */
const MOST = 2_000

export const enqueue = (outbox: readonly AuditEntry[], entry: AuditEntry): readonly AuditEntry[] =>
  withinBounds([...outbox, entry])

/** The oldest become one entry that says how many they were and from when to when: less is told, nothing is hidden. */
function withinBounds(outbox: readonly AuditEntry[]): readonly AuditEntry[] {
  const surplus = outbox.length - MOST
  if (surplus <= 0) return outbox
  const folded = fold(outbox.slice(0, surplus + 1))
  return folded ? [folded, ...outbox.slice(surplus + 1)] : outbox
}

function fold(entries: readonly AuditEntry[]): AuditEntry | undefined {
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) return undefined
  const { rotationId, seq, uid } = last
  return {
    action: 'rotation.folded',
    rotationId,
    seq,
    // The age of the outbox is counted from its first entry, and that stays as old as it was.
    at: first.at,
    ...(uid === undefined ? {} : { uid }),
    details: {
      steps: entries.reduce((sum, { details }) => sum + (details.steps ?? 1), 0),
      firstSeq: first.details.firstSeq ?? first.seq,
      lastSeq: seq,
      first: first.at,
      last: last.at,
    },
  }
}

/** A later resource of the same name tells what its forerunner could not, and tells whose steps they were. */
export const inherited = (outbox: readonly AuditEntry[], uid: string): readonly AuditEntry[] =>
  outbox.map((entry) => ({ uid, ...entry }))

export const entryKey = ({ uid = '', rotationId, seq, action }: AuditEntry): string =>
  `${uid}/${rotationId}/${seq}/${action}`

export const without = (
  outbox: readonly AuditEntry[],
  keys: ReadonlySet<string>,
): readonly AuditEntry[] => outbox.filter((entry) => !keys.has(entryKey(entry)))

/** When the oldest entry was written that nobody has taken yet; undefined when all are delivered. */
export const undeliveredSince = (outbox: readonly AuditEntry[]): Date | undefined => {
  const [oldest] = outbox
  return oldest && new Date(oldest.at)
}
