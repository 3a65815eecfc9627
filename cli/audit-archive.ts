import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import { writeSegmentLine } from '#core/audit/segment'
import {
  asAuditor,
  pieceOf,
  rangesUntil,
  segmentLines,
  type LogRange,
  type Until,
} from '../gateway/store/audit-segment.ts'
import { noteReading } from '../gateway/store/audit-reading.ts'
import {
  assertHolds,
  dropPartials,
  fileName,
  nextRange,
  withDigest,
  type Archived,
} from './archive-folder.ts'
import { readKey } from './audit-evidence.ts'
import { writeWhole } from './audit-segment-file.ts'
import { parseCall, usageError } from './command.ts'
import { withDatabase } from './database.ts'
import { unusableFile } from './failure.ts'

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
  return withDatabase(async (client) => {
    await noteReading(client, { purpose: 'archive' })
    return asAuditor(client, async () => {
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
  })
}

async function* texts(client: pg.Client, range: LogRange): AsyncGenerator<string> {
  for await (const line of segmentLines(client, range)) yield writeSegmentLine(line)
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
