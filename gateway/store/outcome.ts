import pg from 'pg'
import { PalisadeError } from '#core/problem'

// SQLSTATE of our own functions, and the classes of PostgreSQL that have an answer of their own.
const TOKEN_NO_LONGER_VALID = 'PL010'
const DISK_FULL = '53100'
const SERVER_GOES_AWAY = new Set(['57P01', '57P02', '57P03', '53300'])

/** The server names its function here; the text of a notice depends on the server's language. */
const SYNCHRONOUS_WAIT = 'SyncRepWaitForLSN'

/**
 * A commit whose wait for the standby was cancelled is done here and perhaps nowhere else. PostgreSQL says so in a
 * warning and then reports success, so the warning decides.
 */
export function isCancelledWait(notice: { readonly routine?: string | undefined }): boolean {
  return notice.routine === SYNCHRONOUS_WAIT
}

export function outcomeUnknown(cause?: unknown): PalisadeError {
  return new PalisadeError(
    'ERR_OUTCOME_UNKNOWN',
    'the database did not confirm the commit',
    cause === undefined ? {} : { cause },
  )
}

/** An error of the driver or the server, in the words of the catalogue. The server's text stays in `cause`. */
export function storeError(error: unknown, sent: boolean): unknown {
  if (error instanceof PalisadeError) return error
  const state = error instanceof pg.DatabaseError ? (error.code ?? '') : ''
  if (state === TOKEN_NO_LONGER_VALID) {
    return new PalisadeError('ERR_TOKEN_INVALID', 'the token is no longer valid in this tenant', {
      cause: error,
    })
  }
  if (state === DISK_FULL) {
    return new PalisadeError('ERR_AUDIT_STORAGE_FULL', 'the database has no room for a record', {
      cause: error,
    })
  }
  // A connection that broke after the statement was sent may have committed it.
  if (sent && (state === '' || state === '57P01' || state === '57P02')) return outcomeUnknown(error)
  if (state === '' || SERVER_GOES_AWAY.has(state)) {
    return new PalisadeError('ERR_DATABASE_UNAVAILABLE', 'the database cannot be reached', {
      cause: error,
    })
  }
  return error
}
