import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pg from 'pg'
import { place } from '#core/audit/findings'
import type { NoteVerifier } from '#core/audit/note'
import { writeSegmentLine } from '#core/audit/segment'
import { verifySegment } from '#core/audit/verify-segment'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import {
  asAuditor,
  pieceOf,
  rangesUntil,
  segmentLines,
  type LogRange,
  type Until,
} from '../gateway/store/audit-segment.ts'
import { readKey } from './audit-evidence.ts'
import {
  digestBeside,
  digestOf,
  readArchive,
  readArchiveHeader,
  writeWhole,
} from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { databaseFrom } from './config.ts'
import { unusableFile } from './failure.ts'

export interface Archived {
  readonly archive: string
  /** `epoch/first..last`. */
  readonly segment: string
  readonly sha256: string
}

const OPTIONS = {
  until: { type: 'string' },
  size: { type: 'string', default: '100000' },
  key: { type: 'string', multiple: true, default: [] as string[] },
} as const

/** Writes what is sealed and not in the folder yet, `--size` records to a file; run again it writes nothing. */
export async function archive(args: readonly string[], usage: string): Promise<Archived[]> {
  const { values, positionals } = parseCall(args, OPTIONS, usage)
  const [folder, ...rest] = positionals
  const size = /^[1-9]\d{0,6}$/.test(values.size) ? Number(values.size) : 0
  if (!folder || rest.length > 0 || values.until === undefined || size === 0) {
    throw usageError('one folder, --until and a --size of 1 to 9,999,999 are expected', usage)
  }
  const until = readUntil(values.until, usage)
  const verifiers = await Promise.all(values.key.map(readKey))
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unusableFile(folder, error, 'name a folder that may be written to')
  })
  await dropPartials(folder)
  const client = new pg.Client(await databaseFrom())
  await client.connect()
  try {
    return await asAuditor(client, async () => {
      const written: Archived[] = []
      for (const range of await rangesUntil(client, until)) {
        for (;;) {
          const next = await nextRange(folder, range, verifiers)
          if (!next) break
          const piece = await pieceOf(client, next, size)
          const path = join(folder, fileName(piece))
          await writeWhole(path, texts(client, piece), (partial) => assertHolds(partial, verifiers))
          written.push(await withDigest(path, piece))
        }
      }
      return written
    })
  } finally {
    await client.end()
  }
}

/** What was written is read again: a log that does not hold is not archived. */
async function assertHolds(path: string, verifiers: readonly NoteVerifier[]): Promise<void> {
  const { segment } = await readArchive(path)
  const [finding] = verifySegment(segment, verifiers, new Map()).findings
  if (!finding) return
  const { code, where, detail } = finding
  throw new PalisadeError('ERR_AUDIT_TAMPERED', `${code} at ${where}: ${detail}`)
}

/** What killed runs left. A run that works writes all the time, so one that has not for an hour is none. */
async function dropPartials(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.partial'))) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (systemClock.now().getTime() - mtimeMs > 3_600_000) await rm(path, { force: true })
  }
}

async function* texts(client: pg.Client, range: LogRange): AsyncGenerator<string> {
  for await (const line of segmentLines(client, range)) yield writeSegmentLine(line)
}

async function withDigest(path: string, { epoch, first, last }: LogRange): Promise<Archived> {
  const sha256 = await digestOf(path)
  await writeWhole(`${path}.sha256`, [`${sha256}  ${basename(path)}`])
  return { archive: path, segment: place(epoch, first, last), sha256 }
}

/** `2026-01-31`, a moment of ISO 8601 with its zone, a number, or `epoch/number`. */
function readUntil(text: string, usage: string): Until {
  const [, epoch, seq] = /^(?:([1-9]\d{0,8})\/)?([1-9]\d{0,14})$/.exec(text) ?? []
  if (seq !== undefined) {
    return { seq: Number(seq), ...(epoch === undefined ? {} : { epoch: Number(epoch) }) }
  }
  const isMoment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const before = new Date(text)
  if (isMoment && !Number.isNaN(before.getTime())) return { before }
  throw usageError(`"${text}" is neither a date nor a place of the log`, usage)
}

const NAME = /^audit-(\d+)-(\d{12})-(\d{12})\.jsonl$/
const padded = (value: number) => String(value).padStart(12, '0')
const fileName = ({ epoch, first, last }: LogRange) =>
  `audit-${epoch}-${padded(first)}-${padded(last)}.jsonl`

/** What of a range the folder does not have yet. Pieces follow each other without a gap. */
async function nextRange(
  folder: string,
  range: LogRange,
  verifiers: readonly NoteVerifier[],
): Promise<LogRange | undefined> {
  const pieces = (await readdir(folder))
    .flatMap((name) => {
      const [, epoch, first, last] = (NAME.exec(name) ?? []).map(Number)
      return epoch === range.epoch ? [{ name, epoch, first: first ?? 0, last: last ?? 0 }] : []
    })
    .sort((a, b) => a.first - b.first)
  for (const [i, piece] of pieces.entries()) {
    const before = pieces[i - 1]
    if (before && piece.first !== before.last + 1) {
      throw unusable(`"${piece.name}" does not follow "${before.name}"`)
    }
  }
  const newest = pieces.at(-1)
  if (!newest) return range.first <= range.last ? range : undefined
  await assertKept(join(folder, newest.name), newest, verifiers)
  const first = newest.last + 1
  if (first < range.first) {
    throw unusable(
      `the log was cut up to ${range.first - 1}, and the folder ends at ${newest.last}`,
    )
  }
  return first <= range.last ? { ...range, first } : undefined
}

/** A run that was killed behind the last rename left an archive without its digest; any other file must not get one. */
async function assertKept(
  path: string,
  range: LogRange,
  verifiers: readonly NoteVerifier[],
): Promise<void> {
  const { epoch, first, last } = await readArchiveHeader(path)
  if (epoch !== range.epoch || first !== range.first || last !== range.last) {
    throw unusable(`"${path}" holds ${place(epoch, first, last)}, which its name does not say`)
  }
  const known = await digestBeside(path)
  if (known === undefined) {
    await assertHolds(path, verifiers)
    await withDigest(path, range)
  } else if (known !== (await digestOf(path))) {
    throw unusable(`"${path}" has another digest than beside it`)
  }
}

const unusable = (detail: string) =>
  new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', detail, {
    remedy: 'keep the folder as it is and look why; archive into a new one meanwhile',
  })
