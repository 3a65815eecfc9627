import { place, type Finding, type FindingCode } from '#core/audit/findings'
import { parseLogCheckpoint } from '#core/audit/log-checkpoint'
import { append, EMPTY_FRONTIER, leafHash, rootOf, type Frontier } from '#core/audit/merkle'
import { openNote, type NoteVerifier } from '#core/audit/note'
import { placeBytes } from '#core/audit/numbering'

/** A batch as it lies in the database. */
export interface StoredBatch {
  readonly epoch: number
  readonly first: number
  readonly last: number
  readonly root: Uint8Array
  readonly prevRoot: Uint8Array
  readonly frontier: readonly Uint8Array[]
  readonly numberingFrontier: readonly Uint8Array[]
  readonly checkpoint: string
}

export interface StoredSeal {
  readonly seq: number
  readonly tenant: string
  readonly tenantSeq: number
  readonly leaf: Uint8Array
}

/**
 * Rebuilds both trees over one batch from where the one before it ended.
 * @param seals of the batch's places, in order; what is not there was deleted
 * @returns the first thing that is wrong
 */
export function checkBatch(
  batch: StoredBatch,
  before: StoredBatch | undefined,
  seals: readonly StoredSeal[],
  verifiers: readonly NoteVerifier[],
): Finding | undefined {
  const wrong =
    checkChain(batch, before) ??
    checkTrees(batch, before, seals) ??
    checkSignature(batch, verifiers)
  if (!wrong) return undefined
  const [code, detail] = wrong
  return { code, detail, where: place(batch.epoch, batch.first, batch.last) }
}

type Wrong = readonly [code: FindingCode, detail: string]

/** An epoch is a tree of its own. */
const beginsEpoch = ({ epoch, first }: StoredBatch, before: StoredBatch | undefined): boolean =>
  first === 1 && before?.epoch !== epoch

function checkChain(batch: StoredBatch, before: StoredBatch | undefined): Wrong | undefined {
  if (beginsEpoch(batch, before)) return undefined
  if (before?.last !== batch.first - 1) return ['BatchDeleted', 'the batch before it is missing']
  return before.epoch !== batch.epoch || equal(batch.prevRoot, before.root)
    ? undefined
    : ['BatchEdited', 'it does not continue the batch before it']
}

function checkTrees(
  batch: StoredBatch,
  before: StoredBatch | undefined,
  seals: readonly StoredSeal[],
): Wrong | undefined {
  const { epoch, first, last } = batch
  const missing = last - first + 1 - seals.length
  if (missing !== 0) return ['SealDeleted', `${missing} seals are missing`]
  const trees = before && !beginsEpoch(batch, before) ? treesOf(before) : NOTHING
  const leaves = seals.map(({ leaf }) => leaf)
  if (!equal(rootOf(append(trees.records, leaves)), batch.root)) {
    return ['SealEdited', 'its seals do not give its root']
  }
  const places = seals.map((seal) => leafHash(placeBytes({ epoch, ...seal })))
  return equal(rootOf(append(trees.numbering, places)), rootOf(treesOf(batch).numbering))
    ? undefined
    : ['SealEdited', 'the numbers of its records were changed']
}

function checkSignature(batch: StoredBatch, verifiers: readonly NoteVerifier[]): Wrong | undefined {
  const opened = openNote(batch.checkpoint, verifiers)
  if (!opened) return ['SignatureInvalid', 'no key of this log signed its checkpoint']
  const signed = parseLogCheckpoint(opened.text)
  const own = treesOf(batch)
  const agrees =
    verifiers.some(({ name }) => name === signed.log) &&
    signed.epoch === batch.epoch &&
    signed.size === batch.last &&
    equal(signed.root, batch.root) &&
    equal(rootOf(own.records), batch.root) &&
    equal(signed.numbering, rootOf(own.numbering))
  return agrees ? undefined : ['BatchEdited', 'its signed checkpoint says otherwise']
}

interface Trees {
  readonly records: Frontier
  readonly numbering: Frontier
}

const NOTHING: Trees = { records: EMPTY_FRONTIER, numbering: EMPTY_FRONTIER }

const treesOf = ({ last, frontier, numberingFrontier }: StoredBatch): Trees => ({
  records: { size: last, nodes: frontier },
  numbering: { size: last, nodes: numberingFrontier },
})

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
