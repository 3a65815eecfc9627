import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import Value from 'typebox/value'
import { AUDIT_FORMAT, AuditEvent, PLATFORM_TENANT } from '#api/audit-event'
import { checkLog } from '#core/audit/checked-log'
import { sealedCuts } from '#core/audit/cuts'
import type { LogLine } from '#core/audit/export'
import type { NoteVerifier } from '#core/audit/note'
import { signRecord } from '#core/audit/record'
import {
  placeOfSegment,
  segmentOf,
  writeSegmentLine,
  type Segment,
  type SegmentHeader,
} from '#core/audit/segment'
import { verifySegment } from '#core/audit/verify-segment'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { uuidV7 } from '#core/uuid'
import type { AuditRow } from '../gateway/ports.ts'
import {
  decidedCut,
  loginOf,
  recordCut,
  takePage,
  type DecidedCut,
} from '../gateway/store/audit-cut.ts'
import { asAuditor, batchOf, segmentLines } from '../gateway/store/audit-segment.ts'
import { readEvidence } from './audit-evidence.ts'
import { readArchive } from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { databaseFrom } from './config.ts'

/** PCI DSS 10.5.1 asks for twelve months, and a year may have 366 days. */
const MINIMUM_DAYS = 366
const PAGE = 2_000
const SEAL_WAIT_MS = 30_000

const OPTIONS = {
  archive: { type: 'string' },
  key: { type: 'string', multiple: true, default: [] as string[] },
  'mac-keys': { type: 'string' },
  keep: { type: 'string', default: String(MINIMUM_DAYS) },
  'below-minimum': { type: 'boolean', default: false },
} as const

interface Wish {
  readonly segment: Segment
  readonly digest: string
  readonly keepDays: number
  readonly belowMinimum: boolean
  readonly verifiers: readonly NoteVerifier[]
  readonly macKeys: ReadonlyMap<string, Uint8Array>
}

export interface CutDone {
  /** `epoch/first..last`. */
  readonly cut: string
  readonly archive: string
  readonly record: string
  readonly taken: number
}

/**
 * Takes away what lies in an archive: compares it with the database byte by byte, records the cut, waits until that
 * record is sealed, and only then lets the database delete. Killed anywhere and run again, it goes on.
 */
export async function cut(args: readonly string[], usage: string): Promise<CutDone> {
  const wish = await readWish(args, usage)
  const client = new pg.Client({ ...(await databaseFrom()), query_timeout: 60_000 })
  await client.connect()
  try {
    const decided = (await findDecided(client, wish)) ?? (await decide(client, wish))
    const { recordId: record, archive } = decided
    let { taken, finished } = decided
    if (!finished) await assertSealed(client, decided, wish)
    while (!finished) ({ taken, finished } = await takePage(client, record, PAGE))
    return { cut: placeOfSegment(wish.segment.header), archive, record, taken }
  } finally {
    await client.end()
  }
}

async function readWish(args: readonly string[], usage: string): Promise<Wish> {
  const { values, positionals } = parseCall(args, OPTIONS, usage)
  const { archive, key, 'mac-keys': macKeys, keep, 'below-minimum': belowMinimum } = values
  const keepDays = /^\d{1,5}$/.test(keep) ? Number(keep) : -1
  if (positionals.length > 0 || !archive || key.length === 0 || !macKeys || keepDays < 0) {
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
  const evidence = await readEvidence({ key, macKeys, checkpoint: [], witness: [] })
  const { segment, digest } = await readArchive(archive)
  const [finding] = verifySegment(segment, evidence.verifiers, evidence.macKeys).findings
  if (finding) {
    const { code, where, detail } = finding
    throw unusable(`"${archive}" does not hold: ${code} at ${where} (${detail})`)
  }
  return { segment, digest, keepDays, belowMinimum, ...evidence }
}

/** A cut of this range that was decided before: it goes on, with the archive that it names and no other. */
async function findDecided(client: pg.Client, wish: Wish): Promise<DecidedCut | undefined> {
  const { header } = wish.segment
  const decided = await asAuditor(client, () => decidedCut(client, header))
  if (!decided) return undefined
  if (decided.last !== header.last || decided.archive !== wish.digest) {
    throw unusable(`this part is being cut after an archive ${decided.archive}`)
  }
  return decided
}

async function decide(client: pg.Client, wish: Wish): Promise<DecidedCut> {
  await assertSame(client, wish)
  const row = recordOf(await loginOf(client), wish)
  if (!(await recordCut(client, row))) {
    const other = await findDecided(client, wish)
    if (other) return other
  }
  const { header } = wish.segment
  return { ...header, recordId: row.id, archive: wish.digest, taken: 0, finished: false }
}

/** The same part of the database gives the same bytes, or it is not this archive's. */
async function assertSame(client: pg.Client, { segment, digest }: Wish): Promise<void> {
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

function recordOf(
  login: string,
  { segment, digest, keepDays, belowMinimum, macKeys }: Wish,
): AuditRow {
  const id = uuidV7(systemClock)
  const [macKey, secret] = [...macKeys].at(-1) ?? []
  if (macKey === undefined || secret === undefined) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no key for audit records')
  }
  const { epoch, first, last } = segment.header
  const writer = `cli/${hostname()}`
  const event: AuditEvent = {
    format: AUDIT_FORMAT,
    id,
    time: systemClock.now().toISOString(),
    tenant: PLATFORM_TENANT,
    eventType: 'audit.cut',
    outcome: 'success',
    actor: { kind: 'administrator', id: login },
    subject: { kind: 'log', id: 'audit' },
    request: { id },
    writer,
    macKey,
    details: {
      epoch,
      first,
      last,
      root: segment.log.batches.at(-1)?.root.toString('hex') ?? '',
      archive: digest,
      keepDays,
      ...(belowMinimum ? { belowMinimum: 1 } : {}),
    },
  }
  const signed = signRecord(Value.Parse(AuditEvent, event), { id: macKey, secret })
  return { id, formatVersion: AUDIT_FORMAT, tenantId: PLATFORM_TENANT, writer, ...signed }
}

/** The database can say that a record is sealed; that the key of the log signed it is for us to see. */
async function assertSealed(
  client: pg.Client,
  { recordId }: DecidedCut,
  wish: Wish,
): Promise<void> {
  const batch = await sealedBatch(client, recordId)
  const lines: (SegmentHeader | LogLine)[] = []
  await asAuditor(client, async () => {
    for await (const line of segmentLines(client, batch)) lines.push(line)
  })
  const [header, ...rest] = lines as [SegmentHeader, ...LogLine[]]
  const { log } = segmentOf(header, rest)
  const [finding] = verifySegment({ header, log }, wish.verifiers, wish.macKeys).findings
  const own = log.records.filter(({ id }) => id === recordId)
  const batches = [...wish.segment.log.batches, ...log.batches]
  const evidence = { verifiers: wish.verifiers, macKeys: wish.macKeys }
  const checked = checkLog({ ...log, records: own, batches }, evidence)
  const [found] = finding ? [] : sealedCuts(checked.told, checked, wish.macKeys)
  const { epoch, first, last } = wish.segment.header
  const isOurs =
    found?.authenticated === true &&
    found.archive === wish.digest &&
    found.epoch === epoch &&
    found.first === first &&
    found.last === last
  if (isOurs) return
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    finding
      ? `the batch of the record of this cut does not hold: ${finding.code} at ${finding.where}`
      : 'the sealed record of this cut is not the one that was written',
  )
}

async function sealedBatch(client: pg.Client, recordId: string) {
  const end = Date.now() + SEAL_WAIT_MS
  for (;;) {
    const batch = await asAuditor(client, () => batchOf(client, recordId))
    if (batch) return batch
    if (Date.now() > end) {
      throw new PalisadeError('ERR_AUDIT_CUT_WAITS', `record ${recordId} waits for the sealer`)
    }
    await pause(100)
  }
}

const unusable = (detail: string) => new PalisadeError('ERR_AUDIT_ARCHIVE_UNUSABLE', detail)
