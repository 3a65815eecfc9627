import { hash } from 'node:crypto'

/** Merkle trees as Certificate Transparency defines them (RFC 6962 2.1): SHA-256, leaves and nodes told apart. */

const LEAF = Buffer.from([0])
const HASH_BYTES = 32

// One-shot hashing, and one buffer for all nodes: a verification does this a few times per record.
const sha256 = (data: Uint8Array): Buffer => hash('sha256', data, 'buffer')
const node = Buffer.from([1, ...new Uint8Array(2 * HASH_BYTES)])

export const leafHash = (data: Uint8Array): Buffer => sha256(Buffer.concat([LEAF, data]))

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return sha256(node)
}

/** The root of the tree without leaves. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0))

/**
 * The right edge of a tree: the roots of its complete subtrees, largest first. It is all that is needed to append,
 * and has at most one entry per bit of the size.
 */
export interface Frontier {
  readonly size: number
  readonly nodes: readonly Uint8Array[]
}

export const EMPTY_FRONTIER: Frontier = { size: 0, nodes: [] }

/** Whether it has the form that its size demands. What was stored is asked before it is hashed. */
export function isFrontier({ size, nodes }: Frontier): boolean {
  let subtrees = 0
  for (let bits = size; bits > 0; bits = Math.floor(bits / 2)) subtrees += bits % 2
  return nodes.length === subtrees && nodes.every(({ length }) => length === HASH_BYTES)
}

export function append(frontier: Frontier, leaves: Iterable<Uint8Array>): Frontier {
  let { size } = frontier
  const nodes = [...frontier.nodes]
  for (const leaf of leaves) {
    let subtree = leaf
    // Each trailing one bit of the size is a complete subtree of the same height waiting for its right half.
    for (let bits = size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
      subtree = nodeHash(nodes.pop() as Uint8Array, subtree)
    }
    nodes.push(subtree)
    size += 1
  }
  return { size, nodes }
}

export function rootOf(frontier: Frontier): Uint8Array {
  return frontier.nodes.length === 0
    ? EMPTY_ROOT
    : frontier.nodes.reduceRight((right, left) => nodeHash(left, right))
}

export const treeRoot = (leaves: readonly Uint8Array[]): Uint8Array =>
  rootOf(append(EMPTY_FRONTIER, leaves))
