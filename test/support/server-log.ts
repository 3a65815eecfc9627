import { type Followed, followLog } from './followed-log.ts'

const LOG = ['-n', 'palisade-data', 'palisade-db-1', '-c', 'postgres'] as const

export interface ServerRecord {
  readonly user_name?: string
  /** `10.244.0.7:41234`, or `[local]` for the socket. */
  readonly connection_from?: string
  readonly sql_state_code: string
  readonly message: string
  /** The functions in which it came about, innermost first. */
  readonly context?: string
}

export type FollowedLog = Followed<ServerRecord>

/** What the database server itself logs from now on, whatever a client may have counted or repeated. */
export const followServerLog = (keep: (record: ServerRecord) => boolean): Promise<FollowedLog> =>
  followLog(LOG, (line) => {
    const record = recordIn(line)
    return record && keep(record) ? record : undefined
  })

/** Class 28 of SQLSTATE: a login that the server turned away. */
export const isRefusal = ({ sql_state_code: code }: ServerRecord): boolean => code.startsWith('28')

const recordIn = (line: string): ServerRecord | undefined =>
  line.includes('"logger":"postgres"')
    ? (JSON.parse(line) as { record?: ServerRecord }).record
    : undefined
