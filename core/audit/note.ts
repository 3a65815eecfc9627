import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/**
 * Signed notes and checkpoints as C2SP specifies them (signed-note, tlog-checkpoint), with Ed25519 signatures:
 * text, an empty line, then one line per signature, `— <name> <base64 of key id and signature>`.
 */

const ED25519 = 1
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const DASH = '\u2014'

/** Makes one signature line; the private key may be far away (Vault transit). */
export interface NoteSigner {
  readonly name: string
  /** Raw 32-byte Ed25519 public key. */
  readonly publicKey: Uint8Array
  sign(text: Uint8Array): Promise<Uint8Array>
}

/** @param key private, Ed25519, in this process */
export function keySigner(name: string, key: KeyObject): NoteSigner {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = spki.subarray(SPKI_PREFIX.length)
  return { name, publicKey, sign: async (text) => sign(null, text, key) }
}

export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  readonly key: KeyObject
}

export interface Checkpoint {
  /** Names one log: two logs never share one. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  /** Further lines, `<word> <value>`; part of what is signed. */
  readonly extensions: readonly string[]
}

/** First four bytes of SHA-256 over name, newline, algorithm and key. */
function keyIdOf(name: string, publicKey: Uint8Array): number {
  const hash = createHash('sha256')
  return hash
    .update(`${name}\n`)
    .update(Buffer.from([ED25519]))
    .update(publicKey)
    .digest()
    .readUInt32BE()
}

/** The text form of a verifier: `<name>+<key id>+<base64 of algorithm and key>`. */
export function verifierText(name: string, publicKey: Uint8Array): string {
  const id = keyIdOf(name, publicKey).toString(16).padStart(8, '0')
  return `${name}+${id}+${Buffer.concat([Buffer.from([ED25519]), publicKey]).toString('base64')}`
}

export function parseVerifier(text: string): NoteVerifier {
  const [, name, id, encoded] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim()) ?? []
  const bytes = Buffer.from(encoded ?? '', 'base64')
  const publicKey = bytes.subarray(1)
  if (!name || !id || bytes[0] !== ED25519 || publicKey.length !== 32) {
    throw new SyntaxError('a verifier reads <name>+<8 hex digits>+<base64 of an Ed25519 key>')
  }
  const keyId = keyIdOf(name, publicKey)
  if (keyId !== Number.parseInt(id, 16))
    throw new SyntaxError(`the key id of "${name}" is not its key's`)
  const der = Buffer.concat([SPKI_PREFIX, publicKey])
  return { name, keyId, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
}

export function checkpointText({ origin, size, root, extensions }: Checkpoint): string {
  const lines = [origin, String(size), Buffer.from(root).toString('base64'), ...extensions]
  return `${lines.join('\n')}\n`
}

export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...extensions] = text.replace(/\n$/, '').split('\n')
  const hash = Buffer.from(root ?? '', 'base64')
  if (!origin || !/^(0|[1-9][0-9]{0,15})$/.test(size ?? '') || hash.length !== 32) {
    throw new SyntaxError('a checkpoint has the lines origin, size and root hash')
  }
  return { origin, size: Number(size), root: hash, extensions }
}

export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  if (!text.endsWith('\n')) throw new SyntaxError('the text of a note ends with a newline')
  const lines = await Promise.all(
    signers.map(async (signer) => {
      const id = Buffer.alloc(4)
      id.writeUInt32BE(keyIdOf(signer.name, signer.publicKey))
      const signature = Buffer.concat([id, await signer.sign(Buffer.from(text))])
      return `${DASH} ${signer.name} ${signature.toString('base64')}\n`
    }),
  )
  return `${text}\n${lines.join('')}`
}

export interface OpenedNote {
  readonly text: string
  readonly signedBy: readonly string[]
  readonly keyIds: readonly number[]
}

/** @returns the signed text and who of the given verifiers signed it; undefined when nobody known did */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote | undefined {
  const end = note.lastIndexOf('\n\n')
  if (end < 0) return undefined
  const text = note.slice(0, end + 1)
  const signers: NoteVerifier[] = []
  for (const line of note.slice(end + 2).split('\n')) {
    const [, name, encoded] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? []
    const bytes = Buffer.from(encoded ?? '', 'base64')
    if (!name || bytes.length < 5) continue
    const verifier = verifiers.find((v) => v.name === name && v.keyId === bytes.readUInt32BE())
    if (!verifier) continue
    // A known key whose signature fails makes the whole note worthless (signed-note, "Verifying").
    if (!verify(null, Buffer.from(text), verifier.key, bytes.subarray(4))) return undefined
    signers.push(verifier)
  }
  if (signers.length === 0) return undefined
  return {
    text,
    signedBy: signers.map(({ name }) => name),
    keyIds: signers.map(({ keyId }) => keyId),
  }
}
