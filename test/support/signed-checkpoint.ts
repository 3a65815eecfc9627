import { logCheckpointText } from '../../core/audit/log-checkpoint.ts'
import { signNote, type NoteSigner } from '../../core/audit/note.ts'

/** A checkpoint that nobody sealed; `root` tells two histories of the same size apart. */
export function signedCheckpoint(
  signer: NoteSigner,
  at: { readonly epoch?: number; readonly size: number; readonly root?: number },
): Promise<string> {
  const { epoch = 1, size, root = 1 } = at
  const tree = { root: Buffer.alloc(32, root), numbering: Buffer.alloc(32, 2) }
  const text = logCheckpointText({ log: signer.name, epoch, size, counter: size, ...tree })
  return signNote(text, [signer])
}
