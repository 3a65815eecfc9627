import type pg from 'pg'
import type { ExportFormat } from '#api/rest/audit'
import { PalisadeError } from '#core/problem'

/** What a login of the database is going to read, as the record of it will say. */
export interface Reading {
  readonly purpose: 'export' | 'archive' | 'cut' | 'verify'
  readonly format?: ExportFormat
  /** Ids of the records that may be read, both excluded; everything when nothing is said. */
  readonly after?: string
  readonly before?: string
}

/**
 * Notes the reading and commits the note: without it the database shows nothing of the log. It counts for this
 * connection, for an hour; a gateway makes the record of it.
 *
 * @throws PalisadeError ERR_CONFIG_INVALID where this login or this server lets nothing be noted
 */
export async function noteReading(client: pg.Client, reading: Reading): Promise<void> {
  const { purpose, format = null, after = null, before = null } = reading
  await client.query('begin')
  try {
    await becomeAuditor(client)
    await client.query('select palisade.note_reading($1, $2, $3, $4)', [
      ...[purpose, format, after, before],
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw unnoted(error)
  }
}

export async function becomeAuditor(client: pg.Client): Promise<void> {
  try {
    await client.query('set local role palisade_auditor')
  } catch (cause) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'this login may not read the audit log', {
      cause,
      remedy: 'use a login that is a member of palisade_auditor',
    })
  }
}

const STANDBY = '25006'
const NO_SUCH_FUNCTION = '42883'
const UNFIT_NAME = 'PL051'
const TOO_MANY = 'PL052'

function unnoted(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message: string }
  const invalid = (detail: string, remedy: string) =>
    new PalisadeError('ERR_CONFIG_INVALID', detail, { cause, remedy })
  switch (code) {
    case STANDBY:
      return invalid(
        'this server is a standby or takes no writes, and a reading of the audit log is noted first',
        'read from the primary; a standby may also show commits in another order',
      )
    case NO_SUCH_FUNCTION:
      return invalid('this database cannot note who reads its audit log', 'run palisade migrate')
    case UNFIT_NAME:
      return invalid(message, 'use a login of such a name')
    case TOO_MANY:
      return invalid(message, 'wait until a gateway has recorded them, which takes seconds')
    default:
      return cause
  }
}
