import type pg from 'pg'
import { PalisadeError } from '#core/problem'
import type { AuditRow } from '../ports/audit-records.ts'
import type { LogRange } from './audit-segment.ts'
import { auditValues } from './rows.ts'

/** A cut that was decided, as the database knows it. */
export interface DecidedCut extends LogRange {
  readonly recordId: string
  /** SHA-256 of the archive, hex. */
  readonly archive: string
  /** Records that went so far. */
  readonly taken: number
  readonly finished: boolean
}

/** The cut that begins where this range does, if one was decided. Read as palisade_auditor. */
export async function decidedCut(
  client: pg.Client,
  { epoch, first }: LogRange,
): Promise<DecidedCut | undefined> {
  type Row = Omit<DecidedCut, 'epoch' | 'first' | 'last' | 'taken'> & {
    last: string
    taken: string
  }
  const { rows } = await client.query<Row>(
    `select c.record_id as "recordId", c.last, encode(c.archive, 'hex') as archive,
       coalesce(p.taken, 0) as taken, coalesce(p.next > c.last, false) as finished
     from palisade.audit_cuts c left join palisade.audit_cut_progress p using (record_id)
     where c.epoch = $1 and c.first = $2`,
    [epoch, first],
  )
  const [row] = rows
  return row && { ...row, epoch, first, last: Number(row.last), taken: Number(row.taken) }
}

/** Who is logged in, whatever role is acted as: the name that the record of a cut must carry. */
export async function loginOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select session_user as name')
  return rows[0]?.name ?? ''
}

/** Writes the record of a cut; nothing goes before it is sealed. False: somebody else has just decided this one. */
export async function recordCut(client: pg.Client, row: AuditRow): Promise<boolean> {
  return asRetention(client, async () => {
    try {
      await client.query('select palisade.record_cut($1, $2, $3, $4, $5, $6)', auditValues(row))
      return true
    } catch (error) {
      if ((error as { code?: string }).code === '23505') return false
      throw error
    }
  })
}

/**
 * Takes away the next page of a cut, in a transaction of its own.
 * @returns how many records went so far, and whether none is left
 */
export async function takePage(
  client: pg.Client,
  recordId: string,
  page: number,
): Promise<{ readonly taken: number; readonly finished: boolean }> {
  return asRetention(client, async () => {
    const { rows } = await client.query<{ taken: string; finished: boolean }>(
      'select taken, finished from palisade.cut_audit($1, $2)',
      [recordId, page],
    )
    const [{ taken, finished } = { taken: '0', finished: true }] = rows
    return { taken: Number(taken), finished }
  })
}

const REFUSED: ReadonlySet<string> = new Set(['PL020', 'PL021', 'PL022'])

/** What the database refuses keeps its own words: they say which rule it was. */
async function asRetention<T>(client: pg.Client, use: () => Promise<T>): Promise<T> {
  try {
    await client.query('set role palisade_retention')
  } catch (cause) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'this login may not cut the audit log', {
      cause,
      remedy: 'use a login that is a member of palisade_retention',
    })
  }
  try {
    return await use()
  } catch (cause) {
    const { code = '', message } = cause as { code?: string; message: string }
    if (!REFUSED.has(code)) throw cause
    throw new PalisadeError('ERR_AUDIT_CUT_REFUSED', message, { cause })
  } finally {
    await client.query('reset role').catch(() => undefined)
  }
}
