import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseVerifier, type NoteVerifier } from '#core/audit/note'
import type { Evidence } from '#core/audit/verify'
import type { WitnessLine } from '#core/audit/expectations'
import { PalisadeError } from '#core/problem'
import { readArchives } from './audit-segment-file.ts'
import { usable, usableFile } from './usable.ts'
import { WitnessReader } from './witness-lines.ts'

export interface EvidenceFiles {
  readonly key: readonly string[]
  /** Notes, or folders with notes. */
  readonly checkpoint: readonly string[]
  readonly witness: readonly string[]
  readonly macKeys: string | undefined
  readonly archive?: readonly string[]
}

const VERIFIER = 'the verifier that the sealer prints at its start, or a file that holds it'
const NOTES = 'a file that is one checkpoint, or a folder of such files that end with .note'
const WITNESS = 'the log of a gateway or a sealer with its lines "Committed audit record"'
const MAC_KEYS = 'a file of the MAC keys as "bao kv get -format=json" prints them'

/** Reads what was kept outside the database; a file that cannot be used is an error, never less evidence. */
export async function readEvidence(files: EvidenceFiles): Promise<Evidence> {
  const each = async <T>(
    paths: readonly string[],
    wanted: string,
    use: (path: string) => Promise<T[]>,
  ) => (await Promise.all(paths.map((path) => usable(path, wanted, () => use(path))))).flat()
  return {
    verifiers: await Promise.all(files.key.map(readKey)),
    checkpoints: await each(files.checkpoint, NOTES, readCheckpoints),
    witness: await each(files.witness, WITNESS, readWitness),
    archives: await readArchives(files.archive ?? []),
    macKeys: files.macKeys ? await usableFile(files.macKeys, MAC_KEYS, macKeys) : new Map(),
  }
}

/** The key itself, which is public, or a file that holds it. */
export const readKey = (text: string): Promise<NoteVerifier> =>
  usable(text, VERIFIER, async () =>
    parseVerifier(text.includes('+') ? text : await readFile(text, 'utf8')),
  )

/** Line by line: what a gateway wrote in a year is longer than the longest string. */
async function readWitness(path: string): Promise<WitnessLine[]> {
  const file = await open(path)
  const reader = new WitnessReader()
  const found: WitnessLine[] = []
  for await (const text of file.readLines()) {
    const line = reader.line(text)
    if (line) found.push(line)
  }
  if (found.length === 0) {
    throw new PalisadeError('ERR_CONFIG_INVALID', `"${path}": no line of it is a witness`, {
      remedy: `name ${WITNESS}`,
    })
  }
  return found
}

/** One note, or each of a folder's, as a bucket of checkpoints is copied. */
async function readCheckpoints(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [await readFile(path, 'utf8')]
  const names = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.note'))
  if (names.length === 0) throw new Error('no file of this folder ends with .note')
  return Promise.all(names.sort().map((name) => readFile(join(path, name), 'utf8')))
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
