import pg from 'pg'
import type { ErrorCode } from '#api/error-codes'
import { PalisadeError } from '#core/problem'

// SQLSTATE of our own functions, and the classes of PostgreSQL that have an answer of their own.
const TOKEN_NO_LONGER_VALID = 'PL010'
const NOT_AN_AUDITOR = 'PL012'
const BEHIND_CHECKPOINT = 'PL040'
const DISK_FULL = '53100'
const SERVER_GOES_AWAY = new Set(['57P01', '57P02', '57P03'])
/** A primary that became a standby keeps its connections, and each of them would refuse every write from then on. */
const NO_LONGER_PRIMARY = '25006'
/** Rolled back by the server, and nobody's mistake: it was cancelled after its time, or stood in another's way. */
const ROLLED_BACK = new Set(['57014', '40001', '40P01', '55P03'])
/** Insufficient resources and errors of the system around the server. */
const OUT_OF_ORDER = /^(?:53|58)/
/** A value that its column cannot hold. The schema of the route comes first; this is the second lock. */
const UNFIT_VALUE = new Set(['22001', '22003', '22021', '22P02', '22P05'])

/** The server names its function here; the text of a notice depends on the server's language. */
const SYNCHRONOUS_WAIT = 'SyncRepWaitForLSN'

/**
 * A commit whose wait for the standby was cancelled is done here and perhaps nowhere else. PostgreSQL says so in a
 * warning and then reports success, so the warning decides.
 */
export function isCancelledWait(notice: { readonly routine?: string | undefined }): boolean {
  return notice.routine === SYNCHRONOUS_WAIT
}

const NOT_CONFIRMED = 'the database did not confirm the commit'

export const outcomeUnknown = () => new PalisadeError('ERR_OUTCOME_UNKNOWN', NOT_CONFIRMED)

/** Whether the connection behind this error must not be used again. */
export function leavesConnectionUnusable(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true
  return SERVER_GOES_AWAY.has(error.code ?? '') || error.code === NO_LONGER_PRIMARY
}

type Rule = readonly [
  applies: (state: string, sent: boolean) => boolean,
  code: ErrorCode,
  detail: string,
]

/** The first that applies gives the answer. A state is empty when the driver speaks and not the server. */
const RULES: readonly Rule[] = [
  [
    (state) => state === TOKEN_NO_LONGER_VALID,
    'ERR_TOKEN_INVALID',
    'the token is no longer valid in this tenant',
  ],
  [
    (state) => state === NOT_AN_AUDITOR,
    'ERR_FORBIDDEN',
    'this account is no auditor, as the database has it today',
  ],
  [
    (state) => state === BEHIND_CHECKPOINT,
    'ERR_AUDIT_BEHIND_CHECKPOINT',
    'the database is older than what was signed of its audit log',
  ],
  [
    (state) => state === DISK_FULL,
    'ERR_AUDIT_STORAGE_FULL',
    'the database has no room for a record',
  ],
  // A connection that broke after the statement was sent may have committed it.
  [
    (state, sent) => sent && (state === '' || state === '57P01' || state === '57P02'),
    'ERR_OUTCOME_UNKNOWN',
    NOT_CONFIRMED,
  ],
  [
    (state, sent) =>
      !sent ||
      SERVER_GOES_AWAY.has(state) ||
      OUT_OF_ORDER.test(state) ||
      state === NO_LONGER_PRIMARY,
    'ERR_DATABASE_UNAVAILABLE',
    'the database cannot be reached',
  ],
  [(state) => UNFIT_VALUE.has(state), 'ERR_VALIDATION', 'a value is outside of what can be stored'],
  [(state) => ROLLED_BACK.has(state), 'ERR_UNAVAILABLE', 'the database did not get to it in time'],
]

/** An error of the driver or the server, in the words of the catalogue. The server's text stays in `cause`. */
export function storeError(error: unknown, sent: boolean): unknown {
  if (error instanceof PalisadeError) return error
  const state = error instanceof pg.DatabaseError ? (error.code ?? '') : ''
  const rule = RULES.find(([applies]) => applies(state, sent))
  return rule ? new PalisadeError(rule[1], rule[2], { cause: error }) : error
}
