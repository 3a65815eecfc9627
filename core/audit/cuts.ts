import type { CheckedLog, CheckedSeal } from './checked-log.ts'
import type { LogRecord } from './export.ts'
import { leafHash } from './merkle.ts'
import { isAuthentic } from './record.ts'

/** A part of the log whose records were taken away after they had been archived. Its seals and hashes stay. */
export interface Cut {
  readonly epoch: number
  readonly first: number
  readonly last: number
  /** When it was decided, by the clock of whoever did it. */
  readonly at: string
  /** Login of the database. */
  readonly by: string
  /** SHA-256 of the archive, hex. */
  readonly archive: string
  /** Root of the log at `last`, hex. */
  readonly root: string
  /** Whether the MAC of its record could be checked. */
  readonly authenticated: boolean
}

const HASH = /^[0-9a-f]{64}$/

/**
 * The cuts that the log itself accounts for: by a record that is there, sealed in a batch behind what it takes away,
 * and names the root that the log has at that place. Whatever is missing without one was deleted.
 */
export function sealedCuts(
  candidates: readonly LogRecord[],
  log: CheckedLog,
  macKeys: ReadonlyMap<string, Uint8Array>,
): Cut[] {
  if (candidates.length === 0) return []
  const ids = new Set(candidates.map(({ id }) => id))
  const seals = new Map<string, CheckedSeal>()
  for (const seal of log.seals) if (ids.has(seal.id)) seals.set(seal.id, seal)
  return candidates
    .flatMap((record) => cutOf(record, seals.get(record.id), log, macKeys) ?? [])
    .sort((a, b) => a.epoch - b.epoch || a.first - b.first)
}

function cutOf(
  { id, key, record, mac }: LogRecord,
  seal: CheckedSeal | undefined,
  log: CheckedLog,
  macKeys: ReadonlyMap<string, Uint8Array>,
): Cut | undefined {
  const secret = macKeys.get(key)
  if (!seal || Buffer.compare(seal.leaf, leafHash(record)) !== 0) return undefined
  if (secret && !isAuthentic(record, mac, secret)) return undefined
  const cut = read(record, id)
  if (!cut) return undefined
  const isBehind = seal.epoch > cut.epoch || (seal.epoch === cut.epoch && seal.seq > cut.last)
  const isCovered = log.batches.some(
    ({ epoch, first, last }) => epoch === seal.epoch && first <= seal.seq && seal.seq <= last,
  )
  const isOurs = log.batches.some(
    ({ epoch, last, root }) =>
      epoch === cut.epoch && last === cut.last && Buffer.from(root).toString('hex') === cut.root,
  )
  return isBehind && isCovered && isOurs ? { ...cut, authenticated: Boolean(secret) } : undefined
}

/** Undefined for bytes that are no record of a cut: whoever wrote them, they account for nothing. */
function read(record: Buffer, id: string): Omit<Cut, 'authenticated'> | undefined {
  let event: Event
  try {
    event = JSON.parse(record.toString()) as Event
  } catch {
    return undefined
  }
  const { epoch, first, last, root, archive } = event.details ?? {}
  if (event.id !== id || event.eventType !== 'audit.cut') return undefined
  if (![epoch, first, last].every(Number.isSafeInteger)) return undefined
  if (!HASH.test(String(root)) || !HASH.test(String(archive))) return undefined
  const range = { epoch: Number(epoch), first: Number(first), last: Number(last) }
  const by = String(event.actor?.id)
  return { ...range, at: String(event.time), by, archive: String(archive), root: String(root) }
}

interface Event {
  readonly id?: unknown
  readonly eventType?: unknown
  readonly time?: unknown
  readonly actor?: { readonly id?: unknown }
  readonly details?: Readonly<Record<string, unknown>>
}

/** Whether a place lies in one of the cuts. */
export const isCut = (
  cuts: readonly Cut[],
  { epoch, seq }: { readonly epoch: number; readonly seq: number },
): boolean => cuts.some((cut) => cut.epoch === epoch && cut.first <= seq && seq <= cut.last)
