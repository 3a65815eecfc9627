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
/** As the schema of events has them: they are shown to people. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const LOGIN = /^[A-Za-z0-9_.:/-]{1,300}$/

export interface Cuts {
  /** Those that account for what is missing, in the order of the log. */
  readonly accepted: readonly Cut[]
  /** Sealed like the others, but under no key that was given: they account for nothing. */
  readonly refused: readonly Cut[]
}

/**
 * The cuts that the log itself accounts for: by a record that is there, sealed in a batch behind what it takes away,
 * and names the root that the log has at that place. Whatever is missing without one was deleted. Who gives MAC keys
 * is not content with a record that none of them wrote: a key nobody has is what a forger would name.
 */
export function sealedCuts(
  candidates: readonly LogRecord[],
  log: CheckedLog,
  macKeys: ReadonlyMap<string, Uint8Array>,
): Cuts {
  if (candidates.length === 0) return { accepted: [], refused: [] }
  const ids = new Set(candidates.map(({ id }) => id))
  const seals = new Map<string, CheckedSeal>()
  for (const seal of log.seals) if (ids.has(seal.id)) seals.set(seal.id, seal)
  const found = candidates
    .flatMap((record) => cutOf(record, seals.get(record.id), log, macKeys) ?? [])
    .sort((a, b) => a.epoch - b.epoch || a.first - b.first)
  const isAccepted = ({ authenticated }: Cut) => authenticated || macKeys.size === 0
  return { accepted: found.filter(isAccepted), refused: found.filter((cut) => !isAccepted(cut)) }
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
  const cut = read(record, id, key)
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
function read(record: Buffer, id: string, key: string): Omit<Cut, 'authenticated'> | undefined {
  let event: Event
  try {
    event = JSON.parse(record.toString()) as Event
  } catch {
    return undefined
  }
  const { epoch, first, last, root, archive } = event.details ?? {}
  if (event.id !== id || event.eventType !== 'audit.cut' || event.macKey !== key) return undefined
  if (![epoch, first, last].every(Number.isSafeInteger)) return undefined
  if (!HASH.test(String(root)) || !HASH.test(String(archive))) return undefined
  const [at, by] = [String(event.time), String(event.actor?.id)]
  if (!TIME.test(at) || !LOGIN.test(by)) return undefined
  const range = { epoch: Number(epoch), first: Number(first), last: Number(last) }
  return { ...range, at, by, archive: String(archive), root: String(root) }
}

interface Event {
  readonly id?: unknown
  readonly eventType?: unknown
  readonly macKey?: unknown
  readonly time?: unknown
  readonly actor?: { readonly id?: unknown }
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Whether a place lies in one of the cuts. What the log says of itself is never cut; of the first record of a later
 * epoch that is known without reading it.
 */
export const isCut = (
  cuts: readonly Cut[],
  { epoch, seq }: { readonly epoch: number; readonly seq: number },
): boolean =>
  !(epoch > 1 && seq === 1) &&
  cuts.some((cut) => cut.epoch === epoch && cut.first <= seq && seq <= cut.last)
