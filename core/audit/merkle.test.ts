import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isConsistent, isIncluded } from './merkle-proofs.ts'
import {
  append,
  consistencyProof,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  rootOf,
  treeRoot,
} from './merkle.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// The reference data of Certificate Transparency: eight leaves and the root after each.
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((text) => leafHash(Buffer.from(text, 'hex')))
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`${i}`)))

describe('treeRoot', () => {
  it('is the hash of nothing for a tree without leaves', () => {
    expect(hex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(treeRoot([])).toEqual(EMPTY_ROOT)
  })

  it.each(ROOTS.map((root, i) => [i + 1, root] as const))(
    'is the reference root for %i leaves of the reference data',
    (size, root) => expect(hex(treeRoot(LEAVES.slice(0, size)))).toBe(root),
  )
})

describe('append', () => {
  it('reaches the same root whatever the batches are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 12 }), (batches) => {
        const leaves = leavesOf(batches.reduce((sum, n) => sum + n, 0))
        let frontier = EMPTY_FRONTIER
        let from = 0
        for (const count of batches) {
          frontier = append(frontier, leaves.slice(from, (from += count)))
        }
        expect(frontier.size).toBe(leaves.length)
        expect(hex(rootOf(frontier))).toBe(hex(treeRoot(leaves)))
      }),
    )
  })
})

describe('isIncluded', () => {
  it('accepts the proof of every leaf in every tree of up to 40 leaves, and of no other leaf', () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size)
      const root = treeRoot(leaves)
      leaves.forEach((leaf, index) => {
        const proof = inclusionProof(leaves, index)
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
    const proof = inclusionProof(leaves, 4)
    expect(isIncluded({ ...at, proof: proof.slice(1) })).toBe(false)
    expect(isIncluded({ ...at, proof: [...proof, EMPTY_ROOT] })).toBe(false)
  })

  it('needs at most 20 hashes, 640 bytes, in a tree of a million', () => {
    expect(Math.ceil(Math.log2(1_000_000)) * 32).toBe(640)
    expect(inclusionProof(leavesOf(1024), 0)).toHaveLength(10)
  })
})

describe('isConsistent', () => {
  it('accepts every beginning of every tree of up to 24 leaves', () => {
    for (let size = 1; size <= 24; size += 1) {
      const leaves = leavesOf(size)
      for (let oldSize = 0; oldSize <= size; oldSize += 1) {
        const proof = consistencyProof(leaves, oldSize)
        const oldRoot = treeRoot(leaves.slice(0, oldSize))
        expect(isConsistent({ oldSize, oldRoot, size, root: treeRoot(leaves), proof })).toBe(true)
      }
    }
  })

  it('refuses a tree in which an old leaf was rewritten', () => {
    const before = leavesOf(13)
    const after = leavesOf(20).with(5, leafHash(Buffer.from('rewritten')))
    const proof = consistencyProof(after, 13)
    const roots = { oldRoot: treeRoot(before), root: treeRoot(after) }
    expect(isConsistent({ oldSize: 13, size: 20, ...roots, proof })).toBe(false)
  })
})
