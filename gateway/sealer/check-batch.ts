import { agrees, NO_TREES, treesOf, type BatchTrees } from '#core/audit/batch-trees'
import { sameEnd } from '#core/audit/epoch-opening'
import { place, type Finding, type FindingCode } from '#core/audit/findings'
import { parseLogCheckpoint, type LogCheckpoint } from '#core/audit/log-checkpoint'
import { append, EMPTY_ROOT, leafHash, rootOf } from '#core/audit/merkle'
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
  const wrong = firstWrong(batch, before, seals, verifiers)
  if (!wrong) return undefined
  const [code, detail] = wrong
  return { code, detail, where: place(batch.epoch, batch.first, batch.last) }
}

type Wrong = readonly [code: FindingCode, detail: string]

/** Whatever lies there is a finding or none: who could make a check fail would have silenced it. */
function firstWrong(...[batch, before, seals, verifiers]: Parameters<typeof checkBatch>) {
  try {
    const own = treesOf(batch)
    if (!own) return EDGES
    const opened = openNote(batch.checkpoint, verifiers)
    const signed = opened && parseLogCheckpoint(opened.text)
    return (
      checkChain(batch, before, signed) ??
      checkTrees(batch, own, before, seals) ??
      checkSignature(batch, own, signed, verifiers)
    )
  } catch {
    return FORM
  }
}

const EDGES: Wrong = ['BatchEdited', 'its right edges are none of trees of its size']
const FORM: Wrong = ['BatchEdited', 'something in it has a form that no sealer writes']

/** An epoch is a tree of its own. */
const beginsEpoch = ({ epoch, first }: StoredBatch, before: StoredBatch | undefined): boolean =>
  first === 1 && before?.epoch !== epoch

function checkChain(
  batch: StoredBatch,
  before: StoredBatch | undefined,
  signed: LogCheckpoint | undefined,
): Wrong | undefined {
  if (beginsEpoch(batch, before)) return checkBeginning(batch, before, signed)
  if (before?.epoch !== batch.epoch || before.last !== batch.first - 1) {
    return ['BatchDeleted', 'the batch before it is missing']
  }
  return equal(batch.prevRoot, before.root)
    ? undefined
    : ['BatchEdited', 'it does not continue the batch before it']
}

/** What two people gave up is in its signed checkpoint; that they did is in a record, which this role cannot read. */
function checkBeginning(
  batch: StoredBatch,
  before: StoredBatch | undefined,
  signed: LogCheckpoint | undefined,
): Wrong | undefined {
  const end = before
    ? { epoch: before.epoch, size: before.last, root: before.root }
    : { epoch: 1, size: 0, root: EMPTY_ROOT }
  // Who signed it is asked later; without a signature nothing says what it goes on from.
  if (!equal(batch.prevRoot, end.root)) return ['BatchEdited', 'it does not continue what is there']
  if (batch.epoch === 1 || !signed) return undefined
  const { opening } = signed
  const isOpened =
    opening && sameEnd(opening.survives, end) && opening.lost.epoch + 1 === batch.epoch
  return isOpened
    ? undefined
    : ['EpochUnexplained', 'no checkpoint says that it goes on from what is there']
}

function checkTrees(
  batch: StoredBatch,
  own: BatchTrees,
  before: StoredBatch | undefined,
  seals: readonly StoredSeal[],
): Wrong | undefined {
  const { epoch, first, last } = batch
  const missing = last - first + 1 - seals.length
  if (missing !== 0) return ['SealDeleted', `${missing} seals are missing`]
  const isFirst = !before || beginsEpoch(batch, before)
  const trees = isFirst ? NO_TREES : treesOf(before)
  // The batch before it has its finding already, and nothing can be built on it.
  if (!trees) return undefined
  const leaves = seals.map(({ leaf }) => leaf)
  if (!equal(rootOf(append(trees.records, leaves)), batch.root)) {
    return ['SealEdited', 'its seals do not give its root']
  }
  const places = seals.map((seal) => leafHash(placeBytes({ epoch, ...seal })))
  return equal(rootOf(append(trees.numbering, places)), rootOf(own.numbering))
    ? undefined
    : ['SealEdited', 'the numbers of its records were changed']
}

function checkSignature(
  batch: StoredBatch,
  own: BatchTrees,
  signed: LogCheckpoint | undefined,
  verifiers: readonly NoteVerifier[],
): Wrong | undefined {
  if (!signed) return ['SignatureInvalid', 'no key of this log signed its checkpoint']
  const isOurs = verifiers.some(({ name }) => name === signed.log)
  return isOurs && agrees(batch, own, signed)
    ? undefined
    : ['BatchEdited', 'its signed checkpoint says otherwise']
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
