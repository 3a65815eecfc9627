import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { Archive } from '#core/audit/archives'
import { placeOfSegment, writeSegmentLine } from '#core/audit/segment'
import type { Evidence } from '#core/audit/verify'
import { verifySegment } from '#core/audit/verify-segment'
import { PalisadeError } from '#core/problem'
import {
  decidedCut,
  loginOf,
  recordCut,
  takePage,
  type DecidedCut,
} from '../gateway/store/audit-cut.ts'
import { noteReading } from '../gateway/store/audit-reading.ts'
import { asAuditor, segmentLines } from '../gateway/store/audit-segment.ts'
import { cutRecord, type CutWish } from './audit-cut-record.ts'
import { assertSealed } from './audit-cut-sealed.ts'
import { readEvidence } from './audit-evidence.ts'
import { readArchive } from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { withDatabase } from './database.ts'

/** PCI DSS 10.5.1 asks for twelve months, and a year may have 366 days. */
const MINIMUM_DAYS = 366
const PAGE = 2_000

const OPTIONS = {
  archive: { type: 'string', multiple: true, default: [] as string[] },
  key: { type: 'string', multiple: true, default: [] as string[] },
  'mac-keys': { type: 'string' },
  keep: { type: 'string', default: String(MINIMUM_DAYS) },
  'below-minimum': { type: 'boolean', default: false },
} as const

export interface CutDone {
  /** `epoch/first..last`. */
  readonly cut: string
  readonly archive: string
  readonly record: string
  readonly taken: number
}

/**
 * Takes away what lies in archives, one after the other in the order of the log: compares each with the database byte
 * by byte, records the cut, waits until that record is sealed, and only then lets the database delete. Killed anywhere
 * and run again, it goes on.
 */
export async function cut(
  args: readonly string[],
  usage: string,
  done: (cut: CutDone) => void,
): Promise<void> {
  const wishes = readWishes(args, usage)
  const evidence = await readEvidence({ ...wishes, checkpoint: [], witness: [] })
  const each = async (client: pg.Client) => {
    for (const path of wishes.files) {
      const archive = await heldArchive(path, evidence)
      done(await cutOne(client, { ...archive, ...wishes, ...evidence }))
    }
  }
  await withDatabase(each, { query_timeout: 60_000 })
}

async function cutOne(client: pg.Client, wish: CutWish): Promise<CutDone> {
  await noteReading(client, { purpose: 'cut' })
  const decided = (await findDecided(client, wish)) ?? (await decide(client, wish))
  const { recordId: record, archive } = decided
  let { taken, finished } = decided
  if (!finished) await assertSealed(client, decided, wish)
  while (!finished) ({ taken, finished } = await takePage(client, record, PAGE))
  return { cut: placeOfSegment(wish.segment.header), archive, record, taken }
}

function readWishes(args: readonly string[], usage: string) {
  const { values, positionals } = parseCall(args, OPTIONS, usage)
  const { archive, key, 'mac-keys': macKeys, keep, 'below-minimum': belowMinimum } = values
  const keepDays = /^\d{1,5}$/.test(keep) ? Number(keep) : -1
  const isWhole = archive.length > 0 && key.length > 0 && macKeys !== undefined && keepDays >= 0
  if (positionals.length > 0 || !isWhole) {
    throw usageError(
      '--archive, --key, --mac-keys and a number of days to --keep are expected',
      usage,
    )
  }
  if (keepDays < MINIMUM_DAYS && !belowMinimum) {
    throw usageError(
      `--keep ${keepDays} is below ${MINIMUM_DAYS}: say --below-minimum as well`,
      usage,
    )
  }
  return { files: archive, key, macKeys, keepDays, belowMinimum }
}

async function heldArchive(path: string, { verifiers, macKeys }: Evidence): Promise<Archive> {
  const archive = await readArchive(path)
  const [finding] = verifySegment(archive.segment, verifiers, macKeys).findings
  if (!finding) return archive
  const { code, where, detail } = finding
  throw unusable(`"${path}" does not hold: ${code} at ${where} (${detail})`)
}

/** A cut of this range that was decided before: it goes on, with the archive that it names and no other. */
async function findDecided(client: pg.Client, wish: CutWish): Promise<DecidedCut | undefined> {
  const { header } = wish.segment
  const decided = await asAuditor(client, () => decidedCut(client, header))
  if (!decided) return undefined
  if (decided.last !== header.last || decided.archive !== wish.digest) {
    throw unusable(`this part is being cut after an archive ${decided.archive}`)
  }
  return decided
}

async function decide(client: pg.Client, wish: CutWish): Promise<DecidedCut> {
  await assertSame(client, wish)
  const row = cutRecord(await loginOf(client), wish)
  if (!(await recordCut(client, row))) {
    const other = await findDecided(client, wish)
    if (other) return other
  }
  const { header } = wish.segment
  return { ...header, recordId: row.id, archive: wish.digest, taken: 0, finished: false }
}

/** The same part of the database gives the same bytes, or it is not this archive's. */
async function assertSame(client: pg.Client, { segment, digest }: CutWish): Promise<void> {
  const hash = createHash('sha256')
  await asAuditor(client, async () => {
    for await (const line of segmentLines(client, segment.header)) {
      hash.update(`${writeSegmentLine(line)}\n`)
    }
  })
  if (hash.digest('hex') !== digest) {
    throw unusable(
      `the database does not hold ${placeOfSegment(segment.header)} as the archive does`,
    )
  }
}

const unusable = (detail: string) => new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', detail)
