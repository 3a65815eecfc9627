import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

const LOG = ['-n', 'palisade-data', 'palisade-db-1', '-c', 'postgres'] as const

export interface ServerRecord {
  readonly user_name?: string
  /** `10.244.0.7:41234`, or `[local]` for the socket. */
  readonly connection_from?: string
  readonly sql_state_code: string
  readonly message: string
}

export interface FollowedLog {
  /** Those that were kept so far. Throws once the log is no longer followed. */
  records(): readonly ServerRecord[]
  stop(): void
}

/**
 * What the server itself logs from now on, whatever a client may have counted or repeated. Followed and not asked for
 * afterwards: of a log that grew too long meanwhile the kubelet gives the newest file alone.
 */
export async function followServerLog(
  keep: (record: ServerRecord) => boolean,
): Promise<FollowedLog> {
  const logs = ['logs', '--follow', '--tail=1', ...LOG]
  const child = spawn(await toolPath('kubectl'), ['--kubeconfig', kubeconfigPath(), ...logs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kept: ServerRecord[] = []
  const lines = createInterface({ input: child.stdout })
  let began = false
  lines.on('line', (line) => {
    const record = began ? recordIn(line) : undefined
    // The first one is the last line of before.
    began = true
    if (record && keep(record)) kept.push(record)
  })
  await Promise.race([once(lines, 'line'), once(child, 'exit')])
  if (!began) throw new Error('the log of the database server cannot be followed')
  return {
    records() {
      if (child.exitCode === null && child.signalCode === null) return kept
      throw new Error('the log of the database server was followed no longer')
    },
    stop: () => void child.kill(),
  }
}

/** Class 28 of SQLSTATE: a login that the server turned away. */
export const isRefusal = ({ sql_state_code: code }: ServerRecord): boolean => code.startsWith('28')

const recordIn = (line: string): ServerRecord | undefined =>
  line.includes('"logger":"postgres"')
    ? (JSON.parse(line) as { record?: ServerRecord }).record
    : undefined
