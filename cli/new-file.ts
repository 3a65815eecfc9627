import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { unusableFile } from './failure.ts'

/** A file that nobody else may read and that was not there: none is overwritten. */
export async function newFile(path: string) {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(file, 'open')
  } catch (error) {
    throw unusableFile(path, error, 'name a new file in a folder that exists: none is overwritten')
  }
  return {
    async write(text: string): Promise<void> {
      if (!file.write(text)) await once(file, 'drain')
    },
    async end(): Promise<void> {
      file.end()
      await once(file, 'finish')
    },
  }
}
