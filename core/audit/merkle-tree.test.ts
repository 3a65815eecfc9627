import { describe, expect, it } from 'vitest'
import { isConsistent, isIncluded } from './merkle-proofs.ts'
import { MerkleTree } from './merkle-tree.ts'
import { EMPTY_ROOT, leafHash, treeRoot } from './merkle.ts'

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`${i}`)))

// The definitions of RFC 6962 2.1.1 and 2.1.2, as they stand there.
const split = (size: number) => {
  let k = 1
  while (k * 2 < size) k *= 2
  return k
}
const path = (m: number, d: readonly Uint8Array[]): Uint8Array[] => {
  if (d.length === 1) return []
  const k = split(d.length)
  return m < k
    ? [...path(m, d.slice(0, k)), treeRoot(d.slice(k))]
    : [...path(m - k, d.slice(k)), treeRoot(d.slice(0, k))]
}
const subProof = (m: number, d: readonly Uint8Array[], whole: boolean): Uint8Array[] => {
  if (m === d.length) return whole ? [] : [treeRoot(d)]
  const k = split(d.length)
  return m <= k
    ? [...subProof(m, d.slice(0, k), whole), treeRoot(d.slice(k))]
    : [...subProof(m - k, d.slice(k), false), treeRoot(d.slice(0, k))]
}

describe('MerkleTree', () => {
  it('has the root of nothing without leaves', () => {
    expect(new MerkleTree([]).root).toEqual(EMPTY_ROOT)
  })

  it('gives the roots and proofs that the RFC defines, in every tree of up to 40 leaves', () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size)
      const tree = new MerkleTree(leaves)
      expect(tree.root).toEqual(treeRoot(leaves))
      leaves.forEach((_, m) => expect(tree.inclusionProof(m)).toEqual(path(m, leaves)))
      for (let m = 1; m <= size; m += 1) {
        expect(tree.consistencyProof(m)).toEqual(subProof(m, leaves, true))
      }
    }
  })

  it('gives a proof of one hash for each doubling: 14, 448 bytes, for 10,000 leaves', () => {
    const tree = new MerkleTree(Array.from({ length: 10_000 }, () => EMPTY_ROOT))
    expect(tree.inclusionProof(0)).toHaveLength(14)
    expect(tree.consistencyProof(9_999).length).toBeLessThanOrEqual(15)
  })

  it.each([-1, 3, 0.5])('refuses a proof for leaf %d of three', (index) => {
    expect(() => new MerkleTree(leavesOf(3)).inclusionProof(index)).toThrow(RangeError)
  })

  it.each([-1, 4, 0.5])('refuses a proof that a tree of %d began one of three', (size) => {
    expect(() => new MerkleTree(leavesOf(3)).consistencyProof(size)).toThrow(RangeError)
  })
})

describe('isIncluded', () => {
  it('accepts the proof of every leaf in every tree of up to 40 leaves, and of no other leaf', () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size)
      const tree = new MerkleTree(leaves)
      const { root } = tree
      leaves.forEach((leaf, index) => {
        const proof = tree.inclusionProof(index)
        expect(isIncluded({ leaf, index, size, root, proof })).toBe(true)
        const other = leafHash(Buffer.from('other'))
        expect(isIncluded({ leaf: other, index, size, root, proof })).toBe(false)
        expect(isIncluded({ leaf, index: index + 1, size, root, proof })).toBe(false)
      })
    }
  })

  it('refuses a proof that is cut or goes on', () => {
    const leaves = leavesOf(11)
    const at = { leaf: leaves[4] as Buffer, index: 4, size: 11, root: treeRoot(leaves) }
    const proof = new MerkleTree(leaves).inclusionProof(4)
    expect(isIncluded({ ...at, proof: proof.slice(1) })).toBe(false)
    expect(isIncluded({ ...at, proof: [...proof, EMPTY_ROOT] })).toBe(false)
  })
})

describe('isConsistent', () => {
  it('accepts every beginning of every tree of up to 24 leaves', () => {
    for (let size = 1; size <= 24; size += 1) {
      const leaves = leavesOf(size)
      const tree = new MerkleTree(leaves)
      for (let oldSize = 0; oldSize <= size; oldSize += 1) {
        const proof = tree.consistencyProof(oldSize)
        const oldRoot = treeRoot(leaves.slice(0, oldSize))
        expect(isConsistent({ oldSize, oldRoot, size, root: tree.root, proof })).toBe(true)
      }
    }
  })

  it('refuses a tree in which an old leaf was rewritten', () => {
    const before = leavesOf(13)
    const after = new MerkleTree(leavesOf(20).with(5, leafHash(Buffer.from('rewritten'))))
    const proof = after.consistencyProof(13)
    const roots = { oldRoot: treeRoot(before), root: after.root }
    expect(isConsistent({ oldSize: 13, size: 20, ...roots, proof })).toBe(false)
  })
})
