import { readdir } from 'node:fs/promises'

/** What lies in a folder of the engine's, which may never have made it: then there is nothing. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
