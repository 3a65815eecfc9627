import { EXPORT_FORMATS, type ExportFormat } from '#api/rest/audit'
import { exportLine } from '#core/siem/line'
import { idRangeOf } from '../gateway/services/audit-filter.ts'
import { exportRecords } from '../gateway/store/audit-events.ts'
import type { Reading } from '../gateway/store/audit-reading.ts'
import { parseCall, usageError } from './command.ts'
import { withDatabase } from './database.ts'
import { newFile } from './new-file.ts'

export interface EventsWish {
  readonly format: ExportFormat
  readonly from: string | undefined
  readonly to: string | undefined
}

const EXPORT = {
  format: { type: 'string', default: 'jsonl' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const

export function readExport(args: readonly string[], usage: string) {
  const { values, positionals } = parseCall(args, EXPORT, usage)
  const [path, ...rest] = positionals
  const format = EXPORT_FORMATS.find((name) => name === values.format)
  if (!path || rest.length > 0 || !format) {
    throw usageError(`one file and a format of ${EXPORT_FORMATS.join(', ')} are expected`, usage)
  }
  const { from, to } = values
  if (format === 'jsonl' && (from ?? to) !== undefined) {
    throw usageError('a log that is to be verified is taken out whole', usage)
  }
  return { path, format, from, to }
}

/** Straight from the database, as a member of palisade_auditor. @returns how many records were written */
export async function exportEvents(path: string, { format, from, to }: EventsWish) {
  const range = idRangeOf({
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  })
  const reading: Reading = {
    ...{ purpose: 'export', format },
    ...(from === undefined ? {} : { after: range.after }),
    ...(to === undefined ? {} : { before: range.before }),
  }
  const file = await newFile(path)
  let count = 0
  await withDatabase(async (client) => {
    for await (const record of exportRecords(client, range, reading)) {
      count += 1
      await file.write(`${exportLine(record, format)}\n`)
    }
  })
  await file.end()
  return count
}
