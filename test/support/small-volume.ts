import { execFile } from 'node:child_process'
import { mkdtemp, open, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CHUNK = Buffer.alloc(1024 ** 2, 1)

/** A file system of its own and of a size that can be used up, in memory. Takes root. */
export interface SmallVolume {
  readonly path: string
  readonly bytes: number
  /** Until not one byte is left; who frees one meanwhile loses it. */
  fill(): Promise<void>
  free(): Promise<void>
  remove(): Promise<void>
}

export async function mountSmallVolume(bytes: number): Promise<SmallVolume> {
  const path = await mkdtemp(join(tmpdir(), 'palisade-volume-'))
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'tmpfs', path])
  const ballast = join(path, 'ballast')
  const hasRoom = async () => (await statfs(path)).bavail > 0
  return {
    path,
    bytes,
    async fill() {
      const file = await open(ballast, 'a')
      try {
        while (await hasRoom()) {
          for (const chunk of [CHUNK, CHUNK.subarray(0, 4096)]) {
            while (await file.write(chunk).then(isTrue, hasNoRoom));
          }
        }
      } finally {
        await file.close()
      }
    },
    async free() {
      // Truncated first: whoever still has it open must not hold the room.
      await writeFile(ballast, '')
      await rm(ballast)
    },
    async remove() {
      await run('umount', [path])
      await rm(path, { recursive: true, force: true })
    },
  }
}

const isTrue = () => true

function hasNoRoom(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
  throw error
}
