import { open, type FileHandle } from 'node:fs/promises'
import { checkLog, type CheckedLog, type LineEvidence } from '#core/audit/checked-log'
import { collect, readLine, writeLine, type AuditLog, type LogLine } from '#core/audit/export'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { exportLog } from '../gateway/store/audit-export.ts'
import type { Reading } from '../gateway/store/audit-reading.ts'
import { checkFile } from './audit-blocks.ts'
import { withDatabase } from './database.ts'
import { unusableFile } from './failure.ts'
import { LineSplitter } from './line-splitter.ts'
import { newFile } from './new-file.ts'

const withLog = <T>(
  reading: Reading,
  use: (lines: AsyncIterable<LogLine>) => Promise<T>,
): Promise<T> => withDatabase((client) => use(exportLog(client, systemClock.now(), reading)))

export async function exportTo(path: string): Promise<number> {
  const file = await newFile(path)
  let count = 0
  await withLog({ purpose: 'export', format: 'jsonl' }, async (lines) => {
    for await (const line of lines) {
      count += 1
      await file.write(`${writeLine(line)}\n`)
    }
  })
  await file.end()
  return count
}

const WANTED = 'name a file that "palisade audit export" wrote'

async function openExport(path: string): Promise<FileHandle> {
  return open(path).catch((error: unknown) => {
    throw unusableFile(path, error, WANTED)
  })
}

function unreadable(error: unknown): unknown {
  // A TypeError says that it is no UTF-8.
  if (!(error instanceof SyntaxError || error instanceof TypeError)) return error
  return new PalisadeError('ERR_CONFIG_INVALID', error.message, { cause: error, remedy: WANTED })
}

/** With all its records, from a file that `palisade audit export` wrote. */
export async function readLog(path: string): Promise<AuditLog> {
  const file = await openExport(path)
  try {
    // Line by line: a log of a million records is longer than the longest string.
    const lines: LogLine[] = []
    const splitter = new LineSplitter()
    const add = (line: string) => lines.push(readLine(line, lines.length))
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      splitter.push(chunk as Buffer).forEach(add)
    }
    const last = splitter.end()
    if (last !== '') add(last)
    return collect(lines)
  } catch (error) {
    throw unreadable(error)
  } finally {
    await file.close()
  }
}

/** From a file, or from the database where none is named. */
export async function readChecked(
  path: string | undefined,
  evidence: LineEvidence,
): Promise<CheckedLog> {
  if (path === undefined) {
    return withLog({ purpose: 'verify' }, async (lines) => {
      const all: LogLine[] = []
      for await (const line of lines) all.push(line)
      return checkLog(collect(all), evidence)
    })
  }
  const file = await openExport(path)
  try {
    return await checkFile(file, evidence)
  } catch (error) {
    throw unreadable(error)
  } finally {
    await file.close()
  }
}
