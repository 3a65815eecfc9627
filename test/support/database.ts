import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import pg from 'pg'
import { generatePassword } from '#core/password'
import { scramSha256Verifier } from '#core/scram'
import { clientTlsSecret, HOSTS, NAMESPACES } from '../../infra/names.ts'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'
import { kubectlJson } from './cluster.ts'
import { forward } from './forward.ts'

const POD = ['-n', 'palisade-data', 'palisade-db-1'] as const
const run = promisify(execFile)

/** Rows as text, asked by the superuser over the socket inside the database's Pod. The SQL goes by standard input. */
export async function psql(sql: string): Promise<string[][]> {
  const exec = ['--kubeconfig', kubeconfigPath(), 'exec', '-i', ...POD, '-c', 'postgres', '--']
  const program = ['psql', '-U', 'postgres', '-d', 'palisade', '-qAtX', '-F', '\t']
  const child = run(await toolPath('kubectl'), [...exec, ...program, '-v', 'ON_ERROR_STOP=1'], {
    maxBuffer: 512 * 1024 * 1024,
    timeout: 120_000,
  })
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

export interface OperatorLogin {
  readonly client: pg.Client
  close(): Promise<void>
}

/** Under the certificate of the platform's own operator, and with its rights. */
export async function loginAsOperator(): Promise<OperatorLogin> {
  const secret = ['secret', clientTlsSecret('palisade_operator'), '-n', NAMESPACES.system]
  const { data } = await kubectlJson<{ data: Record<string, string> }>('get', ...secret)
  const file = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString()
  const forward = await forwardDatabase()
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: forward.port, user: 'palisade_operator', database: 'palisade' },
    ssl: {
      ...{ ca: file('ca.crt'), cert: file('tls.crt'), key: file('tls.key') },
      servername: HOSTS.database,
    },
  })
  await client.connect()
  return {
    client,
    async close() {
      await client.end()
      forward.stop()
    },
  }
}

const forwardDatabase = () => forward('palisade-data', 'palisade-db-1', 5432)

/** Why the server refuses this login, as SQLSTATE, or `accepted`. */
export async function tryLogin(user: string, password: string, database: string): Promise<string> {
  const forward = await forwardDatabase()
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: forward.port, user, password, database },
    connectionTimeoutMillis: 30_000,
    ssl: { rejectUnauthorized: false },
  })
  try {
    await client.connect()
    return 'accepted'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end().catch(() => undefined)
    forward.stop()
  }
}
