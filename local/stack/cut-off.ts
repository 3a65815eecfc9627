import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from './folder.ts'
import { pulumiDir, type StackPlace } from './request.ts'

/**
 * What an engine leaves that is killed while it saves. It writes a draft, then the attributes of the file, in place,
 * then puts the draft in the place of the file. With attributes that are cut off no command of the engine reads the
 * file, which is whole; without them it does, and nothing here asks for what stands in them. The same holds for the
 * file that says which form the state has, written by the first run of all. Nothing of the engine may run.
 * @returns how many files were taken away
 */
export async function removeCutOff(place: StackPlace): Promise<number> {
  const backend = join(pulumiDir(place), '.pulumi')
  let removed = 0
  for (const folder of [backend, join(backend, 'stacks', place.project)]) {
    for (const name of await namesIn(folder)) {
      const path = join(folder, name)
      const isWhole = name.endsWith('.attrs') ? await isJson(path) : !name.endsWith('.tmp')
      if (isWhole) continue
      await rm(path, { force: true })
      removed += 1
    }
  }
  return removed
}

async function isJson(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8')
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
