import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { environment } from '../environment.ts'
import { exec, type ExecOptions } from '../exec.ts'
import { cacheDir } from '../paths.ts'

/** Package lists of our own, so that the machine's are neither needed nor changed. */
export const listsFolder = (): string => join(cacheDir(), 'debian', 'lists')

/**
 * What apt may not do here, whatever this machine's configuration says: take a list or a package that no
 * key speaks for. A mirror that stumbles is asked again.
 */
export const STRICT: Readonly<Record<string, string>> = {
  'Acquire::AllowInsecureRepositories': 'false',
  'Acquire::AllowWeakRepositories': 'false',
  'Acquire::AllowDowngradeToInsecureRepositories': 'false',
  'APT::Get::AllowUnauthenticated': 'false',
  'Acquire::Retries': '3',
}

export const aptGet = async (
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> => {
  const ours = { ...STRICT, 'APT::Sandbox::User': 'root', ...(await lists()) }
  const settings = Object.entries(ours).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return exec('apt-get', ['-qq', ...settings, ...args], { ...options, env: environment('apt') })
}

const lists = (): Promise<Record<string, string>> =>
  access(listsFolder()).then(
    () => ({ 'Dir::State::lists': listsFolder() }),
    () => ({}), // deleted from the cache: the machine's own will do
  )

const BLAME = [
  /Failed to fetch \S*\/([a-z0-9][a-z0-9.+-]*)_[^/\s]*\.deb/g,
  /Unable to locate package ([a-z0-9][a-z0-9.+-]*)/g,
  /Package '?([a-z0-9][a-z0-9.+-]*)'? has no installation candidate/g,
  /Can't find a source to download version \S+ of '([a-z0-9][a-z0-9.+-]*)/g,
]

/** The packages that apt's words name as the ones it could not have. */
export const blamedPackages = (words: string): string[] => [
  ...new Set(BLAME.flatMap((one) => [...words.matchAll(one)].map(([, name = '']) => name))),
]

/** All that a program which failed has said; the message of `exec` has the end of it. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stderr } = (error.cause ?? {}) as { stderr?: string }
  return stderr ?? error.message
}
