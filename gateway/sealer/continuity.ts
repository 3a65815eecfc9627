import type pg from 'pg'
import type { LogEnd } from '#core/audit/epoch-opening'
import { PalisadeError } from '#core/problem'
import { rootAt, type Head } from './head.ts'

/**
 * A sealer appends behind what it sealed itself or compared, and nowhere else: where the tail was cut under its
 * connection and grew again, it would sign a second history, which is longer than what the places outside remember.
 * @throws ERR_AUDIT_TAMPERED; no restore does this, since a restore ends the connection
 */
export async function assertGoesOn(
  client: pg.ClientBase,
  head: Head,
  { epoch, size, root }: LogEnd,
): Promise<void> {
  const isEnd = head.epoch === epoch && head.records.size === size
  // Another sealer may have gone on from there; with one alone nothing is asked of the database.
  const there = isEnd ? head.root : await rootAt(client, epoch, size)
  if (there && Buffer.compare(there, root) === 0) return
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    `the log in the database was changed under a running sealer: it does not go through ${epoch}/${size} any more`,
  )
}
