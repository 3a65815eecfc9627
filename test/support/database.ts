import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { generatePassword } from '#core/password'
import { scramSha256Verifier } from '#core/scram'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'
import { kubectl } from './cluster.ts'

const POD = ['-n', 'palisade-data', 'palisade-db-1'] as const
const run = promisify(execFile)

/** Rows as text, asked by the superuser over the socket inside the database's Pod. The SQL goes by standard input. */
export async function psql(sql: string): Promise<string[][]> {
  const child = run(await toolPath('kubectl'), [
    ...['--kubeconfig', kubeconfigPath(), 'exec', '-i', ...POD, '-c', 'postgres', '--'],
    ...['psql', '-U', 'postgres', '-d', 'palisade', '-qAtX', '-F', '\t', '-v', 'ON_ERROR_STOP=1'],
  ])
  child.child.stdin?.end(sql)
  const text = (await child).stdout.trim()
  return text === '' ? [] : text.split('\n').map((line) => line.split('\t'))
}

/** A login that may read the audit log, for as long as `use` runs; the server learns its verifier alone. */
export async function asAuditor<T>(use: (url: string) => Promise<T>): Promise<T> {
  const role = `test_auditor_${randomBytes(4).toString('hex')}`
  const password = generatePassword()
  const verifier = scramSha256Verifier(password, { salt: randomBytes(16) })
  await psql(`create role ${role} login password '${verifier}' in role palisade_auditor;`)
  const forward = await forwardDatabase()
  try {
    // The certificate names the Service and not this end of the tunnel.
    return await use(
      `postgresql://${role}:${password}@127.0.0.1:${forward.port}/palisade?sslmode=no-verify`,
    )
  } finally {
    forward.stop()
    await psql(`drop role ${role};`)
  }
}

async function forwardDatabase(): Promise<{ port: number; stop(): void }> {
  const child = spawn(
    await toolPath('kubectl'),
    ['--kubeconfig', kubeconfigPath(), 'port-forward', ...POD, ':5432'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const [, port] = /127\.0\.0\.1:(\d+) ->/.exec(line.toString()) ?? []
  if (port === undefined) throw new Error(`kubectl port-forward said: ${line.toString()}`)
  return { port: Number(port), stop: () => void child.kill() }
}

export interface ServerRecord {
  readonly user_name?: string
  readonly sql_state_code: string
  readonly message: string
  readonly detail?: string
}

/** What the server itself logged since a moment, whatever a client may have counted or repeated. */
export async function serverLog(since: Date): Promise<ServerRecord[]> {
  const text = await kubectl(
    'logs',
    ...POD,
    '-c',
    'postgres',
    `--since-time=${since.toISOString()}`,
  )
  return text.split('\n').flatMap((line) => {
    if (!line.includes('"logger":"postgres"')) return []
    return [(JSON.parse(line) as { record: ServerRecord }).record]
  })
}

/** Class 28 of SQLSTATE: a login that the server refused. */
export const refusedLogins = async (since: Date): Promise<ServerRecord[]> =>
  (await serverLog(since)).filter(({ sql_state_code: code }) => code.startsWith('28'))
