import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

/** Copies of the sources as they lie here, edits included, with the same node_modules; one for each user at a time. */
export class Copies {
  readonly #free: string[] = []
  readonly #all: string[] = []

  async use<T>(act: (directory: string) => Promise<T>): Promise<T> {
    const directory = this.#free.pop() ?? (await this.#make())
    const result = await act(directory)
    // Given back when it is as it was: after a failure nobody knows.
    this.#free.push(directory)
    return result
  }

  async remove(): Promise<void> {
    await Promise.all(this.#all.map((path) => rm(path, { recursive: true, force: true })))
  }

  async #make(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'palisade-mutation-'))
    this.#all.push(directory)
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const { stdout } = await run('git', list, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })
    const files = [...new Set(stdout.split('\0'))].filter((file) => file !== '')
    for (const folder of new Set(files.map(dirname))) {
      await mkdir(join(directory, folder), { recursive: true })
    }
    for (const file of files) await copy(join(ROOT, file), join(directory, file))
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
    return directory
  }
}

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    // Deleted here and still in git's index: a copy of what lies here has no such file either.
    if (error.code !== 'ENOENT') throw error
  })
}

/** Applies the patch, acts, takes the patch back. @throws Error that says how to make the patch fit again */
export async function withPatch<T>(
  directory: string,
  path: string,
  act: () => Promise<T>,
): Promise<T> {
  try {
    await apply(directory, path)
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new Error(
      `${path} does not fit the sources any more:\n${stderr ?? String(error)}\n` +
        'Make the same bug again by hand, put "git diff -U1" behind the header of the patch, and take the edit back ' +
        '(test/mutations/README.md).',
      { cause: error },
    )
  }
  const result = await act()
  await apply(directory, path, '--reverse')
  return result
}

function apply(directory: string, path: string, ...flags: string[]): Promise<unknown> {
  // Outside of any repository, so that git takes the paths as they are.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(directory) }
  const args = ['apply', '--whitespace=nowarn', ...flags, path]
  return run('git', args, { cwd: directory, env })
}
