import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OF_RUN } from './prepared-data.ts'

/** Vitest calls this before the first test of a run, and what it returns after the last one. */
export default async function folderOfRun(): Promise<(() => Promise<void>) | undefined> {
  // Set by the other project of this run, or by the run that a mutation belongs to.
  if (process.env[OF_RUN]) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'palisade-databases-'))
  // The server is another user when this is root, and has to get through.
  await chmod(folder, 0o755)
  process.env[OF_RUN] = folder
  return async () => {
    delete process.env[OF_RUN]
    await rm(folder, { recursive: true, force: true })
  }
}
