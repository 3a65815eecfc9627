import { parseArgs } from 'node:util'
import { LocalError } from './errors.ts'

const FLAGS = {
  up: { 'cluster-only': 'a cluster without anything of ours on it' },
  down: {
    keep: 'stop everything, keep etcd, volumes and keys: `make up` goes on where it was',
    purge: 'delete tools, packages and images too: the next `make up` is a cold one',
  },
  destroy: {},
} as const satisfies Record<string, Readonly<Record<string, string>>>

type Verb = keyof typeof FLAGS

export interface Command {
  readonly verb: Verb | 'help'
  /** Those that were given, without their dashes. */
  readonly flags: ReadonlySet<string>
  /** Of one verb, or of all. */
  readonly help: string
}

const isVerb = (word: string | undefined): word is Verb =>
  word !== undefined && Object.hasOwn(FLAGS, word)

/** What the words after `node local/main.ts` ask for. A word that nobody knows changes nothing. */
export function parseCommand(words: readonly string[]): Command {
  const [verb, ...rest] = words
  if (verb === '--help' || verb === '-h') return { verb: 'help', flags: new Set(), help: helpOf() }
  if (!isVerb(verb))
    throw misuse(verb === undefined ? 'no command was given' : `"${verb}" is no command`)
  const flags = flagsIn(rest, verb)
  return { verb: flags.has('help') ? 'help' : verb, flags, help: helpOf(verb) }
}

function flagsIn(words: readonly string[], verb: Verb): ReadonlySet<string> {
  const known = ['help', ...Object.keys(FLAGS[verb])]
  const options = Object.fromEntries(known.map((name) => [name, { type: 'boolean' as const }]))
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    })
    return new Set(Object.keys(values))
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error), verb)
  }
}

const misuse = (detail: string, verb?: Verb): LocalError =>
  new LocalError('ERR_USAGE', detail, helpOf(verb))

function helpOf(verb?: Verb): string {
  if (verb === undefined)
    return `${Object.keys(FLAGS).map(usageOf).join('\n')}\nAll commands: make help`
  const lines = Object.entries(FLAGS[verb]).map(([name, text]) => `  --${name}: ${text}`)
  return [usageOf(verb), ...lines].join('\n')
}

function usageOf(verb: string): string {
  const flags = isVerb(verb) ? Object.keys(FLAGS[verb]) : []
  return `usage: make ${verb}${flags.map((name) => ` [ARGS=--${name}]`).join('')}`
}
