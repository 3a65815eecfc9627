import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const STORE = join(import.meta.dirname, '../../gateway/store')
/** Whatever decides what is in a database that has been prepared. */
const SOURCES = ['bootstrap.sql', 'migrate.ts', 'migrations/*.sql']

/** Names the folder for what the servers of a run share; that of `databases-of-run.ts`, which takes it away again. */
export const OF_RUN = 'PALISADE_DATABASES_OF_RUN'

/**
 * The data directory of a server that has been through a whole installation, made by whoever needs it first: it takes
 * two seconds, and a copy of it a fraction of one. Whoever runs with other sources, as a mutation does, has another.
 * @param prepare makes it below a folder; it returns the directory, in which no server runs any more
 * @returns undefined outside of a run, where nobody would take it away
 */
export async function preparedData(
  prepare: (within: string) => Promise<string>,
): Promise<string | undefined> {
  const folder = process.env[OF_RUN]
  if (!folder) return undefined
  const path = join(folder, await digestOfSources())
  if (await isThere(path)) return path
  const made = await prepare(folder)
  // Two that need it first at the same moment both make it.
  await rename(made, path).catch(async (error: unknown) => {
    if (!(await isThere(path))) throw error
  })
  await rm(dirname(made), { recursive: true, force: true })
  return path
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap((pattern) => globSync(pattern, { cwd: STORE })).sort()) {
    hash.update(`${file}\0`).update(await readFile(join(STORE, file)))
  }
  return hash.digest('hex')
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
