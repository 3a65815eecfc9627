import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parseStackConfig, StackConfigError } from '../infra/config/parse.ts'
import { IMAGE_NAMES } from '../infra/config/schema.ts'
import { LocalError } from './errors.ts'

export const STACK_FILE = join(import.meta.dirname, '..', 'Pulumi.local.yaml')

const PREFIX = 'palisade:'
/** Made later by this machine, so nobody can have written them wrongly. */
const IMAGES = Object.fromEntries(IMAGE_NAMES.map((name) => [name, `${name}:made-later`]))

/** What the program would refuse minutes later, with a cluster already there, is refused before anything is made. */
export async function checkStackConfig(
  file: string,
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const given = { ...(await configIn(file)), ...more, [`${PREFIX}images`]: IMAGES }
  const own = Object.entries(given)
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, value]) => [key.slice(PREFIX.length), value] as const)
  try {
    parseStackConfig(Object.fromEntries(own))
  } catch (error) {
    if (!(error instanceof StackConfigError)) throw error
    const lines = error.problems.map(
      ({ field, cause, remedy }) => `\n  ${PREFIX}${field}: ${cause}; ${remedy}`,
    )
    throw new LocalError(
      error.code,
      `${file} cannot be used${lines.join('')}`,
      'mend what is named and run `make up` again; nothing has been made',
    )
  }
}

async function configIn(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const parsed = parse(await readFile(file, 'utf8')) as {
      config?: Record<string, unknown>
    } | null
    return parsed?.config ?? {}
  } catch (cause) {
    throw new LocalError(
      'ERR_STACK_CONFIG',
      `${file} cannot be read as YAML`,
      'mend it, or bring it back with `git checkout`',
      cause,
    )
  }
}
