import type { LogCheckpoint } from './log-checkpoint.ts'
import { EMPTY_FRONTIER, isFrontier, rootOf, type Frontier } from './merkle.ts'

/** Right edges of both trees at one place of an epoch. */
export interface BatchTrees {
  readonly records: Frontier
  readonly numbering: Frontier
}

/** Before the first seal of an epoch. */
export const NO_TREES: BatchTrees = { records: EMPTY_FRONTIER, numbering: EMPTY_FRONTIER }

interface Batch {
  readonly epoch: number
  readonly last: number
  readonly root: Uint8Array
  readonly frontier: readonly Uint8Array[]
  readonly numberingFrontier: readonly Uint8Array[]
}

/** As the batch says; undefined when it says what no tree of its size has. */
export function treesOf(
  batch: Pick<Batch, 'last' | 'frontier' | 'numberingFrontier'>,
): BatchTrees | undefined {
  const records = { size: batch.last, nodes: batch.frontier }
  const numbering = { size: batch.last, nodes: batch.numberingFrontier }
  return isFrontier(records) && isFrontier(numbering) ? { records, numbering } : undefined
}

/** Whether a signed checkpoint says what the batch does and, where they are known, its trees. */
export const agrees = (
  batch: Pick<Batch, 'epoch' | 'last' | 'root'>,
  trees: BatchTrees | undefined,
  signed: LogCheckpoint,
): boolean =>
  signed.epoch === batch.epoch &&
  signed.size === batch.last &&
  equal(signed.root, batch.root) &&
  (!trees ||
    (equal(rootOf(trees.records), batch.root) && equal(signed.numbering, rootOf(trees.numbering))))

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
