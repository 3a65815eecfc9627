import { agrees, NO_TREES, treesOf, type BatchTrees } from './batch-trees.ts'
import type { CheckedBatch, CheckedLog, CheckedSeal } from './checked-log.ts'
import { openingOf } from './epochs.ts'
import { place, type Finding } from './findings.ts'
import { parseLogCheckpoint } from './log-checkpoint.ts'
import { append, rootOf } from './merkle.ts'
import type { NoteVerifier } from './note.ts'
import { SealCursor } from './seal-cursor.ts'
import { SigningKeys, type HandedOver, type KeyUse } from './signing-keys.ts'

/** Of both trees, as seals give them. */
export interface TreeRoots {
  readonly records: Uint8Array
  readonly numbering: Uint8Array
}

export interface TreeChecks {
  readonly findings: readonly Finding[]
  /** By `epoch/size`, for every size that was asked for and reached. */
  readonly roots: ReadonlyMap<string, TreeRoots>
  readonly signatures: number
  readonly keys: readonly KeyUse[]
  readonly handOvers: readonly HandedOver[]
}

/** Rebuilds each epoch's trees from its seals and holds every batch and its signed checkpoint against them. */
export function verifyTree(
  log: CheckedLog,
  verifiers: readonly NoteVerifier[],
  wantedSizes: ReadonlySet<string>,
  start: BatchTrees = NO_TREES,
): TreeChecks {
  const findings: Finding[] = []
  const roots = new Map<string, TreeRoots>()
  let signatures = 0
  const keys = new SigningKeys(verifiers)
  let prevRoot: Uint8Array = rootOf(start.records)
  for (const { epoch, from, to } of epochsOf(log)) {
    const batches = log.batches.filter((batch) => batch.epoch === epoch)
    findings.push(...gaps(epoch, new SealCursor(log.seals, from, to), batches, start.records.size))
    const cursor = new SealCursor(log.seals, from, to)
    let tree: BatchTrees | undefined = start
    let { size } = start.records
    // Judged where epochs are: what an epoch goes on from is in its first checkpoint.
    const opening = batches[0]?.first === 1 ? openingOf(batches[0]) : undefined
    if (opening) prevRoot = opening.survives.root
    for (const batch of batches) {
      findings.push(...chain(batch, size, prevRoot))
      // From where the tree stands: a missing batch must not make the next one look wrong as well.
      const own = cursor.range(size + 1, batch.last)
      const grown: BatchTrees | undefined = own && tree && grow(tree, own, wantedSizes, roots)
      const stored = treesOf(batch)
      findings.push(...compare(batch, stored, grown))
      const edges: BatchTrees | undefined = stored ?? grown
      const wrong = verifiers.length > 0 ? checkSignature(batch, edges, keys) : undefined
      if (wrong) findings.push(wrong)
      else signatures += verifiers.length > 0 ? 1 : 0
      // Goes on from what the batch says, so that one break is reported once.
      tree = edges
      size = batch.last
      prevRoot = batch.root
    }
  }
  return { findings, roots, signatures, keys: keys.used(), handOvers: keys.handOvers }
}

/** Where each epoch's seals lie; an epoch that has batches alone has none. */
function epochsOf({ seals, batches }: CheckedLog) {
  const epochs = new Map<number, { readonly epoch: number; readonly from: number; to: number }>()
  let index = 0
  for (const { epoch } of seals) {
    const known = epochs.get(epoch)
    index += 1
    if (known) known.to = index
    else epochs.set(epoch, { epoch, from: index - 1, to: index })
  }
  for (const { epoch } of batches) {
    if (!epochs.has(epoch)) epochs.set(epoch, { epoch, from: index, to: index })
  }
  return epochs.values()
}

/** What a batch says of itself against what its seals give. */
function compare(
  batch: CheckedBatch,
  stored: BatchTrees | undefined,
  grown: BatchTrees | undefined,
): Finding[] {
  const findings: Finding[] = []
  if (!stored) findings.push(edited(batch, 'its right edges are none of trees of its size'))
  if (grown && !equal(rootOf(grown.records), batch.root)) {
    findings.push(rewritten(batch, 'records and seals do not give its root'))
  } else if (grown && stored && !equal(rootOf(grown.numbering), rootOf(stored.numbering))) {
    findings.push(rewritten(batch, 'the numbers of its records were changed'))
  }
  return findings
}

function grow(
  tree: BatchTrees,
  seals: readonly CheckedSeal[],
  wantedSizes: ReadonlySet<string>,
  roots: Map<string, TreeRoots>,
): BatchTrees {
  let grown = tree
  let from = 0
  for (const [i, { epoch, seq }] of seals.entries()) {
    const size = place(epoch, seq)
    if (!wantedSizes.has(size)) continue
    grown = appendTo(grown, seals.slice(from, i + 1))
    from = i + 1
    roots.set(size, { records: rootOf(grown.records), numbering: rootOf(grown.numbering) })
  }
  return appendTo(grown, seals.slice(from))
}

const appendTo = (tree: BatchTrees, seals: readonly CheckedSeal[]): BatchTrees => ({
  records: append(
    tree.records,
    seals.map(({ leaf }) => leaf),
  ),
  numbering: append(
    tree.numbering,
    seals.map(({ numbering }) => numbering),
  ),
})

/** Seals that are missing between others; at the end of the log they are the tail, judged elsewhere. */
function gaps(
  epoch: number,
  seals: Iterable<CheckedSeal>,
  batches: readonly CheckedBatch[],
  before: number,
): Finding[] {
  const findings: Finding[] = []
  let next = before + 1
  for (const { seq } of seals) {
    if (seq > next) {
      findings.push({
        code: 'SealDeleted',
        where: place(epoch, next, seq - 1),
        detail: `${seq - next} seals are missing before ${place(epoch, seq)}`,
      })
    }
    if (seq < next) {
      findings.push({
        code: 'SealEdited',
        where: place(epoch, seq),
        detail: 'two seals have this place',
      })
    }
    next = seq + 1
  }
  const sealed = batches.at(-1)?.last ?? before
  if (sealed >= next) {
    findings.push({
      code: 'TailCut',
      where: place(epoch, next, sealed),
      detail: `the last batch ends at ${sealed}, the last seal is ${next - 1}`,
    })
  } else if (next - 1 > sealed) {
    findings.push({
      code: 'TailCut',
      where: place(epoch, sealed + 1, next - 1),
      detail: `seals go on to ${next - 1}, but the last batch ends at ${sealed}`,
    })
  }
  return findings
}

function chain(batch: CheckedBatch, size: number, prevRoot: Uint8Array): Finding[] {
  if (batch.first === size + 1 && equal(batch.prevRoot, prevRoot)) return []
  return batch.first > size + 1
    ? [
        {
          code: 'BatchDeleted',
          where: place(batch.epoch, size + 1, batch.first - 1),
          detail: `the batch before ${place(batch.epoch, batch.first, batch.last)} is missing`,
        },
      ]
    : [edited(batch, 'it does not continue the batch before it')]
}

function checkSignature(
  batch: CheckedBatch,
  edges: BatchTrees | undefined,
  keys: SigningKeys,
): Finding | undefined {
  const opened = keys.open(batch)
  if (opened === undefined) {
    const where = place(batch.epoch, batch.first, batch.last)
    return { code: 'SignatureInvalid', where, detail: 'no key of this log signed it at this place' }
  }
  const signed = parseLogCheckpoint(opened.text)
  if (!keys.areOf(signed.log) || !agrees(batch, edges, signed)) {
    return edited(batch, 'its signed checkpoint says otherwise')
  }
  return keys.goOn(batch, signed, opened.keyIds)
}

const rewritten = (batch: CheckedBatch, why: string): Finding => ({
  code: 'SealEdited',
  where: place(batch.epoch, batch.first, batch.last),
  detail: why,
})

const edited = (batch: CheckedBatch, why: string): Finding => ({
  code: 'BatchEdited',
  where: place(batch.epoch, batch.first, batch.last),
  detail: why,
})

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
