import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { place } from '#core/audit/findings'
import type { NoteVerifier } from '#core/audit/note'
import { verifySegment } from '#core/audit/verify-segment'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import type { LogRange } from '../gateway/store/audit-segment.ts'
import {
  digestBeside,
  digestOf,
  readArchive,
  readArchiveHeader,
  writeWhole,
} from './audit-segment-file.ts'

/** A folder of archives, each named by its places and with its digest beside it. */

export interface Archived {
  readonly archive: string
  /** `epoch/first..last`. */
  readonly segment: string
  readonly sha256: string
}

const NAME = /^audit-(\d+)-(\d{12})-(\d{12})\.jsonl$/
const padded = (value: number) => String(value).padStart(12, '0')
export const fileName = ({ epoch, first, last }: LogRange) =>
  `audit-${epoch}-${padded(first)}-${padded(last)}.jsonl`

/** What of a range the folder does not have yet. Pieces follow each other without a gap. */
export async function nextRange(
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

/** What was written is read again: a log that does not hold is not archived. */
export async function assertHolds(path: string, verifiers: readonly NoteVerifier[]): Promise<void> {
  const { segment } = await readArchive(path)
  const [finding] = verifySegment(segment, verifiers, new Map()).findings
  if (!finding) return
  const { code, where, detail } = finding
  throw new PalisadeError('ERR_AUDIT_TAMPERED', `${code} at ${where}: ${detail}`)
}

/** Puts its digest beside an archive, as "sha256sum --check" reads it. */
export async function withDigest(
  path: string,
  { epoch, first, last }: LogRange,
): Promise<Archived> {
  const sha256 = await digestOf(path)
  await writeWhole(`${path}.sha256`, [`${sha256}  ${basename(path)}`])
  return { archive: path, segment: place(epoch, first, last), sha256 }
}

/** What killed runs left. A run that works writes all the time, so one that has not for an hour is none. */
export async function dropPartials(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.partial'))) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (systemClock.now().getTime() - mtimeMs > 3_600_000) await rm(path, { force: true })
  }
}

const unusable = (detail: string) =>
  new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', detail, {
    remedy: 'keep the folder as it is and look why; archive into a new one meanwhile',
  })
