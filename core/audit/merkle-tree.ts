import { EMPTY_ROOT, nodeHash } from './merkle.ts'

/**
 * All nodes of a tree, level by level, so that a proof costs as many steps as it has hashes. A node without a
 * sibling rises as it is, which gives the same tree as the largest-power-of-two split of RFC 6962 2.1.
 * Memory: about two hashes per leaf.
 */
export class MerkleTree {
  readonly #levels: readonly (readonly Uint8Array[])[]
  readonly size: number

  constructor(leaves: readonly Uint8Array[]) {
    this.size = leaves.length
    const levels: (readonly Uint8Array[])[] = [leaves]
    for (let level = leaves; level.length > 1;) {
      const above: Uint8Array[] = []
      for (let i = 0; i < level.length; i += 2) {
        const left = level[i] as Uint8Array
        const right = level[i + 1]
        above.push(right === undefined ? left : nodeHash(left, right))
      }
      levels.push(above)
      level = above
    }
    this.#levels = levels
  }

  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? EMPTY_ROOT
  }

  /** PATH(m, D[n]) of RFC 6962 2.1.1: shows that the leaf at `index` is in the tree. */
  inclusionProof(index: number): Uint8Array[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw new RangeError(`no leaf ${index} in a tree of ${this.size}`)
    }
    const proof: Uint8Array[] = []
    let at = index
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
      if (sibling !== undefined) proof.push(sibling)
      at = Math.floor(at / 2)
    }
    return proof
  }

  /** PROOF(m, D[n]) of RFC 6962 2.1.2: shows that the tree of `oldSize` is a beginning of this one. */
  consistencyProof(oldSize: number): Uint8Array[] {
    if (!Number.isInteger(oldSize) || oldSize < 0 || oldSize > this.size) {
      throw new RangeError(`no tree of ${oldSize} within one of ${this.size}`)
    }
    if (oldSize === 0 || oldSize === this.size) return []
    // From the last complete subtree of the old tree upwards; it is left out when it is the old root itself.
    let height = 0
    let at = oldSize - 1
    const up = () => {
      at = Math.floor(at / 2)
      height += 1
    }
    while (at % 2 === 1) up()
    const proof = Number.isInteger(Math.log2(oldSize)) ? [] : [this.#node(height, at)]
    for (; height < this.#levels.length - 1; up()) {
      const sibling = this.#levels[height]?.[at % 2 === 0 ? at + 1 : at - 1]
      if (sibling !== undefined) proof.push(sibling)
    }
    return proof
  }

  #node(height: number, at: number): Uint8Array {
    return this.#levels[height]?.[at] as Uint8Array
  }
}
