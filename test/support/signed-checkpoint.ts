import { createPublicKey, sign, type KeyObject } from 'node:crypto'
import { logCheckpointText } from '../../core/audit/log-checkpoint.ts'
import { signNote } from '../../core/audit/note.ts'

/** A checkpoint that nobody sealed; `root` tells two histories of the same size apart. */
export function signedCheckpoint(
  key: KeyObject,
  at: {
    readonly log: string
    readonly epoch?: number
    readonly size: number
    readonly root?: number
  },
): Promise<string> {
  const { log, epoch = 1, size, root = 1 } = at
  const tree = { root: Buffer.alloc(32, root), numbering: Buffer.alloc(32, 2) }
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return signNote(logCheckpointText({ log, epoch, size, counter: size, ...tree }), [
    { name: log, publicKey, sign: async (text) => sign(null, text, key) },
  ])
}
