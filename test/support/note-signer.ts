import { generateKeyPairSync } from 'node:crypto'
import {
  keySigner,
  type NoteSigner,
  type NoteVerifier,
  parseVerifier,
  verifierText,
} from '../../core/audit/note.ts'

export interface LogKey {
  readonly signer: NoteSigner
  readonly verifier: NoteVerifier
  /** The verifier as an auditor is handed it. */
  readonly text: string
  /** The private key, for a sealer in a process of its own. */
  readonly pem: string
}

/** A key of its own that signs the checkpoints of a log with this name. */
export function noteSigner(name: string): LogKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  const signer = keySigner(name, privateKey)
  const text = verifierText(name, signer.publicKey)
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  return { signer, verifier: parseVerifier(text), text, pem }
}
