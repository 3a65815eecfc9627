import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { environment } from './environment.ts'
import { LocalError } from './errors.ts'

const run = promisify(execFile)

export interface ExecOptions {
  readonly cwd?: string
  /** Without it, what every program may know. */
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  readonly input?: string
}

/** Runs a program without a shell and returns its standard output; a failure names the program and its last words. */
export async function exec(
  program: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const { input, env = environment(), ...rest } = options
  try {
    const child = run(program, [...args], { ...rest, env, maxBuffer: 64 * 1024 * 1024 })
    // A program that ends before reading all of its input must not end us with EPIPE.
    child.child.stdin?.on('error', () => {})
    child.child.stdin?.end(input ?? '')
    return (await child).stdout
  } catch (error) {
    if (options.signal?.aborted) throw error
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      throw new LocalError(
        'ERR_PROGRAM_MISSING',
        `"${program}" is not on the PATH`,
        `install it (Debian: apt-get install ${program}) and run the command again`,
        error,
      )
    }
    const words = (stderr ?? '').trim().split('\n').slice(-12).join('\n')
    throw new Error(`${program} ${args[0] ?? ''} ended with ${String(code)}\n${words}`, {
      cause: error,
    })
  }
}
