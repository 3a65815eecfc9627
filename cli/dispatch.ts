import { PalisadeError } from '#core/problem'
import { usageError, type Command } from './command.ts'
import { help } from './help.ts'

/** By what is written after "palisade": one word, or two. */
export type Commands = ReadonlyMap<string, Command>

const WORDS_FOR_HELP = ['--help', '-h']
const isHelp = (word: string | undefined) => word !== undefined && WORDS_FOR_HELP.includes(word)

/** Runs the command that the first words name, or tells how it and those that begin like it are called. */
export async function dispatch(
  commands: Commands,
  args: readonly string[],
  out: (line: string) => void,
): Promise<number> {
  const [first, ...others] = args
  if (first === 'help') return dispatch(commands, [...others, '--help'], out)
  if (first === undefined || isHelp(first)) return tell([...commands.values()], out)
  const [name, command] = named(commands, args)
  if (!command) return tellGroup(commands, first, others[0], out)
  const rest = args.slice(name.split(' ').length)
  return asksForHelp(rest) ? tell([command], out) : command.run(rest, out)
}

function named(commands: Commands, args: readonly string[]) {
  const names = [args.slice(0, 2).join(' '), args[0] ?? '']
  const name = names.find((each) => commands.has(each)) ?? ''
  return [name, commands.get(name)] as const
}

/** What stands behind `--` is a name, whatever it looks like. */
const asksForHelp = (rest: readonly string[]) =>
  rest.slice(0, [...rest, '--'].indexOf('--')).some(isHelp)

function tellGroup(
  commands: Commands,
  first: string,
  verb: string | undefined,
  out: (line: string) => void,
): number {
  const group = [...commands].filter(([name]) => name.startsWith(`${first} `))
  if (group.length === 0) throw new PalisadeError('ERR_USAGE', `there is no command "${first}"`)
  if (verb === undefined || isHelp(verb)) {
    return tell(
      group.map(([, command]) => command),
      out,
    )
  }
  const verbs = group.map(([name]) => name.slice(first.length + 1))
  throw usageError(`there is no command "${first} ${verb}"`, `${first} <${verbs.join('|')}>`)
}

function tell(commands: readonly Command[], out: (line: string) => void): number {
  help(commands).forEach(out)
  return 0
}
