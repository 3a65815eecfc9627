import { join } from 'node:path'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'

const WRAPPERS = join(import.meta.dirname, '..', 'bare', 'tools')

export const goModOf = (wrapper: string): string => join(WRAPPERS, wrapper, 'go.mod')

interface Download {
  readonly Dir?: string
  readonly Error?: string
}

/**
 * The folder of a Go module at the version that its wrapper pins: the manifests come from the same
 * source, checked by the same go.sum, as the program they start.
 */
export const moduleFolder = async (
  wrapper: string,
  module: string,
  signal: AbortSignal,
): Promise<string> => {
  const answer = await exec('go', ['mod', 'download', '-json', module], {
    cwd: join(WRAPPERS, wrapper),
    env: environment('go', { GOFLAGS: '' }),
    signal,
  })
  const { Dir, Error: cause } = JSON.parse(answer) as Download
  if (Dir) return Dir
  throw new LocalError(
    'ERR_MODULE_MISSING',
    `the module ${module} could not be had: ${cause ?? 'no folder in the answer of go'}`,
    'check that `go mod download` reaches your module proxy and run the command again',
  )
}
