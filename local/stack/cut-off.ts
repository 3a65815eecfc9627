import { readFile, rm } from 'node:fs/promises'
import { checkpointPath } from './checkpoint.ts'
import type { StackPlace } from './request.ts'

/**
 * Beside its state the engine keeps a file of attributes, and writes it in place: one that is killed meanwhile leaves a
 * part of it. No command of the engine then reads the state, which is whole; without the file it does, and nothing here
 * asks for what stands in it. Nothing of the engine may run.
 * @returns whether there was one
 */
export async function removeCutOffAttributes(place: StackPlace): Promise<boolean> {
  const path = `${checkpointPath(place)}.attrs`
  try {
    JSON.parse(await readFile(path, 'utf8'))
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    if (!(error instanceof SyntaxError)) throw error
  }
  await rm(path)
  return true
}
