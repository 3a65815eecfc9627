import { readFile } from 'node:fs/promises'
import { parseVerifier, type NoteVerifier } from '#core/audit/note'
import type { Evidence } from '#core/audit/verify'
import type { WitnessLine } from '#core/audit/expectations'
import { PalisadeError } from '#core/problem'
import { readArchive } from './audit-segment-file.ts'

export interface EvidenceFiles {
  readonly key: readonly string[]
  readonly checkpoint: readonly string[]
  readonly witness: readonly string[]
  readonly macKeys: string | undefined
  readonly archive?: readonly string[]
}

/** Reads what was kept outside the database; a file that cannot be used is an error, never less evidence. */
export async function readEvidence(files: EvidenceFiles): Promise<Evidence> {
  const read = (path: string) => usable(path, () => readFile(path, 'utf8'))
  const witness = await Promise.all(
    files.witness.map(async (path) => witnessLines(await read(path))),
  )
  return {
    verifiers: await Promise.all(files.key.map(readKey)),
    checkpoints: await Promise.all(files.checkpoint.map(read)),
    witness: witness.flat(),
    archives: await Promise.all((files.archive ?? []).map(readArchive)),
    macKeys: files.macKeys
      ? await usable(files.macKeys, async () => macKeys(await read(files.macKeys ?? '')))
      : new Map(),
  }
}

/** The key itself, which is public, or a file that holds it. */
export const readKey = (text: string): Promise<NoteVerifier> =>
  usable(text, async () => parseVerifier(text.includes('+') ? text : await readFile(text, 'utf8')))

/** The gateway's log lines `{"audit": <id>, "leaf": <hex>}`, among whatever else it wrote. */
export function witnessLines(text: string): WitnessLine[] {
  return text
    .split('\n')
    .map((line) => /"audit":"([0-9a-f-]{36})","leaf":"([0-9a-f]{64})"/.exec(line))
    .filter((match) => match !== null)
    .map(([, id = '', leaf = '']) => ({ id, leaf: Buffer.from(leaf, 'hex') }))
}

/** `[{"id", "key"}]` as the gateway keeps it, or the whole KV entry around it. */
function macKeys(text: string): Map<string, Uint8Array> {
  let value = JSON.parse(text) as unknown
  while (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const inner = value as { data?: unknown; keys?: unknown }
    value = typeof inner.keys === 'string' ? JSON.parse(inner.keys) : inner.data
  }
  const keys = value as { id: string; key: string }[]
  return new Map(keys.map(({ id, key }) => [id, Buffer.from(key, 'base64url')]))
}

async function usable<T>(what: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (cause) {
    if (cause instanceof PalisadeError) throw cause
    throw new PalisadeError('ERR_CONFIG_INVALID', `"${what}" cannot be used as evidence`, {
      cause,
      remedy: 'name a file that can be read and has the documented form',
    })
  }
}
