import { MerkleTree } from '#core/audit/merkle-tree'
import { EMPTY_ROOT } from '#core/audit/merkle'

const HASH_BYTES = 32

/** Hashes and bytes of proofs in a log of this many records; they depend on its size alone. */
export interface ProofSizes {
  readonly size: number
  /** Of one record: its path in the tree of records and its path in that of places; the longest. */
  readonly record: { readonly hashes: number; readonly bytes: number }
  /** Of all records of a tenant that has one in twenty. */
  readonly tenant: { readonly records: number; readonly bytes: number }
  /** That a log of half the size, less one, is a beginning of this one. */
  readonly consistency: { readonly hashes: number; readonly bytes: number }
}

export function proofSizes(size: number): ProofSizes {
  const tree = new MerkleTree(Array.from({ length: size }, () => EMPTY_ROOT))
  const path = tree.inclusionProof(0).length
  const records = Math.floor(size / 20)
  const consistency = tree.consistencyProof(Math.floor(size / 2) - 1).length
  return {
    size,
    record: { hashes: 2 * path, bytes: 2 * path * HASH_BYTES },
    tenant: { records, bytes: records * 2 * path * HASH_BYTES },
    consistency: { hashes: consistency, bytes: consistency * HASH_BYTES },
  }
}
