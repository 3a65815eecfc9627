import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Archive } from '#core/audit/archives'
import {
  isSegment,
  readSegmentHeader,
  SegmentReader,
  type SegmentHeader,
} from '#core/audit/segment'
import { PalisadeError } from '#core/problem'
import { unusableFile } from './failure.ts'
import { LineSplitter } from './line-splitter.ts'

const WANTED = 'name a file that "palisade audit archive" wrote'

/** SHA-256 of a file, hex: what "sha256sum" prints. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (error) {
    throw unusableFile(path, error, WANTED)
  }
  return hash.digest('hex')
}

/** With the digest of exactly the bytes that were read. */
export async function readArchive(path: string): Promise<Archive> {
  const hash = createHash('sha256')
  const lines = new LineSplitter()
  const reader = new SegmentReader()
  try {
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk as Buffer)
      for (const line of lines.push(chunk as Buffer)) reader.push(line)
    }
    if (lines.end() !== '') throw new SyntaxError('the last line is not whole')
    return { segment: reader.end(), digest: hash.digest('hex') }
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** One after the other: what they hold is kept, but not what reading them takes. */
export async function readArchives(paths: readonly string[]): Promise<Archive[]> {
  const archives: Archive[] = []
  for (const path of paths) archives.push(await readArchive(path))
  return archives
}

/** What a file says of itself; nothing behind its first line is read. */
export async function readArchiveHeader(path: string): Promise<SegmentHeader> {
  const lines = new LineSplitter()
  try {
    for await (const chunk of createReadStream(path)) {
      const [first] = lines.push(chunk as Buffer)
      if (first !== undefined) return readSegmentHeader(first)
    }
    throw new SyntaxError('its first line is not whole')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): PalisadeError {
  if ((error as NodeJS.ErrnoException).syscall) return unusableFile(path, error, WANTED)
  return unusable(`"${path}": ${(error as Error).message}`, error)
}

const unusable = (detail: string, cause?: unknown) =>
  new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', detail, { cause })

/** Whether a file begins as an archive does; an export is the other that it may be. */
export async function isArchive(path: string): Promise<boolean> {
  const file = await open(path).catch((error: unknown) => {
    throw unusableFile(path, error, 'name an export or an archive that can be read')
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0)
    return isSegment(buffer.toString('utf8', 0, bytesRead))
  } finally {
    await file.close()
  }
}

/**
 * Writes a file that is there whole or not at all: whoever is killed leaves a `.partial`, which nobody reads. It is on
 * the disk before it has its name.
 * @param accept judges the written file before it gets its name
 */
export async function writeWhole(
  path: string,
  lines: AsyncIterable<string> | Iterable<string>,
  accept: (written: string) => Promise<void> = async () => undefined,
): Promise<void> {
  // Of its own: two that write the same piece must not write into each other's file.
  const partial = `${path}.${randomUUID()}.partial`
  const file = await open(partial, 'w', 0o600).catch((error: unknown) => {
    throw unusableFile(partial, error, 'name a folder that exists and may be written to')
  })
  try {
    let block: string[] = []
    for await (const line of lines) {
      block.push(`${line}\n`)
      if (block.length < 1_000) continue
      await file.appendFile(block.join(''))
      block = []
    }
    await file.appendFile(block.join(''))
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await accept(partial)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await rename(partial, path)
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * The digest beside an archive, as "sha256sum --check" reads it; undefined when there is none. One that cannot be read
 * is there.
 */
export async function digestBeside(path: string): Promise<string | undefined> {
  const beside = `${path}.sha256`
  let text: string
  try {
    text = await readFile(beside, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusableFile(beside, error, 'name a folder whose files may be read')
  }
  const [digest] = /^[0-9a-f]{64}/.exec(text) ?? []
  if (digest === undefined) throw unusable(`"${beside}" holds no digest`)
  return digest
}
