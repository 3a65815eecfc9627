import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PalisadeError } from '#core/problem'
import { readLogLevel, type LogLevel } from '../observe/log.ts'

export interface EmbeddedConfig {
  readonly host: string
  readonly port: number
  readonly operationsPort: number
  readonly dataDirectory: string
  /** An existing PostgreSQL instead of the embedded one. */
  readonly databaseUrl: string | undefined
  readonly logLevel: LogLevel
}

export const USAGE = `palisade gateway, embedded

  npm start -- [--port 3000] [--operations-port 9464] [--listen 127.0.0.1] [--data <directory>]

  --listen    another address than loopback has to be asked for
  --data      default: $XDG_DATA_HOME/palisade, or ~/.local/share/palisade (/var/lib/palisade for root)

  DATABASE_URL names an existing PostgreSQL; its user is superuser, or palisade_app's schema is already there.
`

type Environment = Readonly<Record<string, string | undefined>>

export function readEmbeddedConfig(
  args: readonly string[] = process.argv.slice(2),
  env: Environment = process.env,
  isRoot = process.getuid?.() === 0,
): EmbeddedConfig | 'help' {
  const { values } = parse(args)
  if (values.help === true) return 'help'
  return Object.freeze({
    host: values.listen ?? '127.0.0.1',
    port: portOf('--port', values.port ?? '3000'),
    operationsPort: portOf('--operations-port', values['operations-port'] ?? '9464'),
    dataDirectory: values.data ?? defaultDirectory(env, isRoot),
    databaseUrl: nonEmpty(env['DATABASE_URL']),
    logLevel: readLogLevel('LOG_LEVEL', env),
  })
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        listen: { type: 'string' },
        port: { type: 'string' },
        'operations-port': { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new PalisadeError('ERR_USAGE', (error as Error).message, {
      remedy: 'see "npm start -- --help"',
    })
  }
}

/** PostgreSQL does not run as root, and its own user cannot enter root's home. */
function defaultDirectory(env: Environment, isRoot: boolean): string {
  const data = nonEmpty(env['XDG_DATA_HOME'])
  if (data !== undefined) return join(data, 'palisade')
  return isRoot ? '/var/lib/palisade' : join(homedir(), '.local', 'share', 'palisade')
}

function portOf(name: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return port
  throw new PalisadeError('ERR_USAGE', `${name} is "${text}", which is no port`, {
    remedy: 'give a number from 1 to 65535',
  })
}

const nonEmpty = (text: string | undefined) =>
  text === undefined || text === '' ? undefined : text
