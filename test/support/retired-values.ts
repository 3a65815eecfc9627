import { createHash } from 'node:crypto'
import { appendFile, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stateDir } from '../../local/paths.ts'
import type { Value } from './needles.ts'

/**
 * What tests saw retired on this platform. Nothing else has these values any more once they are destroyed, and the
 * search for leaks, which comes last and forgets them, runs in another process. Outside the folders that it searches.
 */
const path = join(
  tmpdir(),
  `palisade-retired-${createHash('sha256').update(stateDir()).digest('hex').slice(0, 8)}`,
)

export const keepRetired = (value: Value): Promise<void> =>
  appendFile(path, `${JSON.stringify(value)}\n`, { mode: 0o600 })

export async function retiredValues(): Promise<readonly Value[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Value)
}

export const forgetRetired = (): Promise<void> => rm(path, { force: true })
