import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import pg from 'pg'
import { collect, readLine, writeLine, type AuditLog, type LogLine } from '#core/audit/export'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { exportLog } from '../gateway/store/audit-export.ts'
import { databaseFrom } from './config.ts'
import { unusableFile } from './failure.ts'

async function withLog<T>(use: (lines: AsyncIterable<LogLine>) => Promise<T>): Promise<T> {
  const client = new pg.Client(await databaseFrom())
  await client.connect()
  try {
    return await use(exportLog(client, systemClock.now()))
  } finally {
    await client.end()
  }
}

export async function exportTo(path: string): Promise<number> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(file, 'open')
  } catch (error) {
    throw unusableFile(path, error, 'name a new file in a folder that exists: none is overwritten')
  }
  let count = 0
  await withLog(async (lines) => {
    for await (const line of lines) {
      count += 1
      if (!file.write(`${writeLine(line)}\n`)) await once(file, 'drain')
    }
  })
  file.end()
  await once(file, 'finish')
  return count
}

const WANTED = 'name a file that "palisade audit export" wrote'

/** Line by line: a log of a million records is longer than the longest string. */
async function readFileLog(path: string): Promise<AuditLog> {
  const file = await open(path).catch((error: unknown) => {
    throw unusableFile(path, error, WANTED)
  })
  const lines: LogLine[] = []
  for await (const line of file.readLines()) lines.push(readLine(line, lines.length))
  return collect(lines)
}

/** From a file that `palisade audit export` wrote, or from the database where none is named. */
export async function readLog(path: string | undefined): Promise<AuditLog> {
  if (path !== undefined) {
    try {
      return await readFileLog(path)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw new PalisadeError('ERR_CONFIG_INVALID', error.message, {
        cause: error,
        remedy: WANTED,
      })
    }
  }
  return withLog(async (lines) => {
    const all: LogLine[] = []
    for await (const line of lines) all.push(line)
    return collect(all)
  })
}
