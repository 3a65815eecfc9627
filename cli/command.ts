import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { PalisadeError } from '#core/problem'

/** Exit code: the log does not hold. A command that could not run ends with 1, one that was called wrongly with 2. */
export const BROKEN = 3

/** One command of `palisade`. It writes its answer to `out` and returns the exit code. */
export interface Command {
  /** How it is called, after "palisade". */
  readonly usage: string
  readonly summary: string
  /** Loads what it needs here and not before: the clients and schemas of all commands take longer than most of them run. */
  run(args: readonly string[], out: (line: string) => void): Promise<number>
}

export const usageError = (detail: string, usage: string) =>
  new PalisadeError('ERR_USAGE', detail, { remedy: `call it as: palisade ${usage}` })

/** Options and files of a call; what it does not know is a wrong call, and says how to call it. */
export function parseCall<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw usageError((error as Error).message, usage)
  }
}
