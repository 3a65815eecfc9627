import { randomBytes } from 'node:crypto'
import { access, link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalError } from '../errors.ts'
import { hasState } from './checkpoint.ts'
import { pulumiDir, type StackPlace } from './request.ts'

const pathIn = (folder: string): string => join(folder, 'passphrase')

/** The key of secrets in the stack's state: made once, readable by its owner, passed by path. */
export async function passphraseFile(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = pathIn(folder)
  const draft = `${path}.${process.pid}`
  await writeFile(draft, randomBytes(32).toString('base64url'), { mode: 0o600 })
  try {
    // link() refuses an existing name, so two first runs agree on one passphrase and a crash leaves none half written.
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return path
}

/** What was sealed once opens with that passphrase alone: a new one would only hide that the old one is gone. */
export async function insistOnPassphrase(place: StackPlace): Promise<void> {
  if (!(await hasState(place))) return
  const path = pathIn(pulumiDir(place))
  await access(path).catch((cause: unknown) => {
    throw new LocalError(
      'ERR_PASSPHRASE_MISSING',
      `the state of stack "${place.stack}" is there and its passphrase is not: ${path}`,
      'put that file back from a copy; without one `make down` removes cluster and state, and `make up` starts anew',
      cause,
    )
  })
}
