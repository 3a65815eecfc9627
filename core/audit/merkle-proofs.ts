import { EMPTY_ROOT, nodeHash } from './merkle.ts'

/** Verification of proofs against roots alone (RFC 9162 2.1.3.2 and 2.1.4.2). */

interface Inclusion {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

export function isIncluded({ leaf, index, size, root, proof }: Inclusion): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= size) return false
  let fn = index
  let sn = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && same(hash, root)
}

interface Consistency {
  readonly oldSize: number
  readonly oldRoot: Uint8Array
  readonly size: number
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

export function isConsistent({ oldSize, oldRoot, size, root, proof }: Consistency): boolean {
  if (!Number.isInteger(oldSize) || oldSize < 0 || oldSize > size) return false
  if (oldSize === 0) return proof.length === 0 && same(oldRoot, EMPTY_ROOT)
  if (oldSize === size) return proof.length === 0 && same(oldRoot, root)
  // A complete old tree is its own first node and is left out of the proof.
  const path = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...proof] : proof
  const roots = climb(path, oldSize - 1, size - 1)
  return roots !== undefined && same(roots.old, oldRoot) && same(roots.now, root)
}

/** Both roots, built from the same nodes; undefined when the path does not end at the top. */
function climb(path: readonly Uint8Array[], oldLast: number, last: number) {
  let fn = oldLast
  let sn = last
  const up = () => {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  while (fn % 2 === 1) up()
  const [first, ...rest] = path
  if (!first) return undefined
  const roots = { old: first, now: first }
  for (const node of rest) {
    if (sn === 0) return undefined
    if (fn % 2 === 1 || fn === sn) {
      roots.old = nodeHash(node, roots.old)
      roots.now = nodeHash(node, roots.now)
      while (fn % 2 === 0 && fn !== 0) up()
    } else {
      roots.now = nodeHash(roots.now, node)
    }
    up()
  }
  return sn === 0 ? roots : undefined
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
