import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { append, EMPTY_FRONTIER, EMPTY_ROOT, leafHash, rootOf, treeRoot } from './merkle.ts'

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
