import { generateKeyPairSync, sign } from 'node:crypto'
import {
  type NoteSigner,
  type NoteVerifier,
  parseVerifier,
  verifierText,
} from '../../core/audit/note.ts'

/** A key of its own that signs the checkpoints of a log with this name. */
export function noteSigner(name: string): {
  readonly signer: NoteSigner
  readonly verifier: NoteVerifier
} {
  const { publicKey: spki, privateKey } = generateKeyPairSync('ed25519')
  const publicKey = spki.export({ format: 'der', type: 'spki' }).subarray(-32)
  const signer = {
    name,
    publicKey,
    sign: async (bytes: Uint8Array) => sign(null, bytes, privateKey),
  }
  return { signer, verifier: parseVerifier(verifierText(name, publicKey)) }
}
