import type { AuditProof, HistoryProof, ProvenRecord, RecordsProof } from '#api/audit-proof'
import { parseLogCheckpoint, type LogCheckpoint } from './log-checkpoint.ts'
import { learnKeys } from './key-chain.ts'
import { isConsistent, isIncluded } from './merkle-proofs.ts'
import { leafHash } from './merkle.ts'
import { openNote, type NoteVerifier } from './note.ts'
import { placeBytes } from './numbering.ts'

export interface ProofVerdict {
  readonly ok: boolean
  /** What is wrong with it; empty when it holds. */
  readonly faults: readonly string[]
  /** What it shows, in sentences; empty when it does not hold. */
  readonly shows: readonly string[]
}

/** Judges a proof by the public key of the log alone. A note that no given key signed shows nothing. */
export function verifyProof(proof: AuditProof, verifiers: readonly NoteVerifier[]): ProofVerdict {
  const known = learnKeys(proof.handOvers ?? [], verifiers)
  const { faults, shows } =
    proof.type === 'palisade-audit-history'
      ? historyVerdict(proof, known)
      : recordsVerdict(proof, known)
  return { ok: faults.length === 0, faults, shows: faults.length === 0 ? shows : [] }
}

type Verdict = Pick<ProofVerdict, 'faults' | 'shows'>

function recordsVerdict(proof: RecordsProof, verifiers: readonly NoteVerifier[]): Verdict {
  const opened = proof.checkpoints.map((note) => open(note, verifiers))
  const epochs = new Map(opened.flatMap((each) => (each ? [[each.epoch, each] as const] : [])))
  const faults = [
    ...opened.flatMap((each, i) => (each ? [] : [`no given key signed checkpoint ${i + 1}`])),
    ...(new Set(opened.map((each) => each?.log)).size > 1 ? ['checkpoints of several logs'] : []),
    ...(proof.records.length === 0 ? ['it holds no record'] : []),
    ...proof.records.flatMap((record) => recordFaults(record, epochs.get(record.place.epoch))),
    ...(proof.allOf === undefined ? [] : gaps(proof.records, proof.allOf)),
  ]
  const { allOf, records } = proof
  const upTo = opened.map((each) => `${each?.epoch}/${each?.size}`).join(', ')
  const shows = [
    `${records.length} records stand in ${opened[0]?.log} where it says, with these bytes, up to ${upTo}`,
    ...(allOf === undefined
      ? []
      : [`none of tenant ${allOf} is missing ${lastNumbers(records)}; later ones are not shown`]),
  ]
  return { faults, shows }
}

function recordFaults(
  { place, record, inclusion, numbering }: ProvenRecord,
  checkpoint: LogCheckpoint | undefined,
): string[] {
  const where = `${place.epoch}/${place.seq}`
  if (!checkpoint) return [`${where}: no checkpoint of its epoch`]
  const { size, root, numbering: numbers } = checkpoint
  const at = { index: place.seq - 1, size }
  const own = bytes(record)
  const leaf = leafHash(own)
  const isThere = isIncluded({ ...at, leaf, root, proof: inclusion.map(bytes) })
  const number = leafHash(placeBytes(place))
  const isNumbered = isIncluded({ ...at, leaf: number, root: numbers, proof: numbering.map(bytes) })
  return [
    ...(isThere ? [] : [`${where}: these bytes are not in the log`]),
    ...(isNumbered ? [] : [`${where}: its tenant or number is not the one in the log`]),
    ...(tenantIn(own) === place.tenant ? [] : [`${where}: these bytes name another tenant`]),
  ]
}

/** A record that was numbered among another tenant's stands in the log as it says, and in the wrong place. */
function tenantIn(record: Buffer): unknown {
  try {
    return (JSON.parse(record.toString()) as { readonly tenant?: unknown } | null)?.tenant
  } catch {
    return undefined
  }
}

/** Which epochs a tenant has records in the proof does not say: one that is not named may have some. */
function lastNumbers(records: readonly ProvenRecord[]): string {
  const last = new Map(records.map(({ place }) => [place.epoch, place.tenantSeq]))
  return [...last].map(([epoch, seq]) => `in epoch ${epoch} up to its number ${seq}`).join(', ')
}

/** Numbers of a tenant begin with 1 in each epoch. */
function gaps(records: readonly ProvenRecord[], tenant: string): string[] {
  const next = new Map<number, number>()
  return records.flatMap(({ place: { epoch, seq, tenantSeq, tenant: whose } }) => {
    const expected = next.get(epoch) ?? 1
    next.set(epoch, tenantSeq + 1)
    if (whose !== tenant) return [`${epoch}/${seq}: a record of another tenant`]
    return tenantSeq === expected
      ? []
      : [`${epoch}/${seq}: number ${expected} is missing before it`]
  })
}

function historyVerdict(proof: HistoryProof, verifiers: readonly NoteVerifier[]): Verdict {
  const [older, newer] = [open(proof.older, verifiers), open(proof.newer, verifiers)]
  if (!older || !newer) {
    const which = older ? 'newer' : 'older'
    return { faults: [`no given key signed the ${which} checkpoint`], shows: [] }
  }
  if (older.log !== newer.log || older.epoch !== newer.epoch) {
    return { faults: ['the two checkpoints are not of one log and epoch'], shows: [] }
  }
  const holds = isConsistent({
    oldSize: older.size,
    oldRoot: older.root,
    size: newer.size,
    root: newer.root,
    proof: proof.consistency.map(bytes),
  })
  const [from, to] = [older, newer].map(({ epoch, size }) => `${epoch}/${size}`)
  return holds
    ? {
        faults: [],
        shows: [`${newer.log} at ${to} begins with all of ${from}: nothing was rewritten`],
      }
    : { faults: [`the log at ${to} does not begin with the log at ${from}`], shows: [] }
}

/** A key that signs several logs must not lend one log's checkpoint to another. */
function open(note: string, verifiers: readonly NoteVerifier[]): LogCheckpoint | undefined {
  const text = openNote(note, verifiers)?.text
  if (text === undefined) return undefined
  const checkpoint = parseLogCheckpoint(text)
  return verifiers.some(({ name }) => name === checkpoint.log) ? checkpoint : undefined
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
