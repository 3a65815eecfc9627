import type pg from 'pg'
import { sameEnd, type LogEnd } from '#core/audit/epoch-opening'
import { PalisadeError } from '#core/problem'
import { rootAt, type Head } from './head.ts'

/**
 * A sealer appends behind what it sealed itself or compared, and nowhere else: where the tail was cut under its
 * connection and grew again, it would sign a second history, which is longer than what the places outside remember.
 * Called when everything is taken that is to be appended: what was cut may have come back as pending after the head
 * was read, so the head is looked for once more.
 * @param known where the log is known to go through
 * @throws ERR_AUDIT_TAMPERED; no restore does this, since a restore ends the connection
 */
export async function assertGoesOn(
  client: pg.ClientBase,
  { epoch, records, root }: Head,
  known: LogEnd | undefined,
): Promise<void> {
  const end = { epoch, size: records.size, root }
  if (end.size > 0) await assertThere(client, end)
  // Another sealer may have gone on from there.
  if (known && !sameEnd(known, end)) await assertThere(client, known)
}

async function assertThere(client: pg.ClientBase, { epoch, size, root }: LogEnd): Promise<void> {
  const there = await rootAt(client, epoch, size)
  if (there && Buffer.compare(there, root) === 0) return
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    `the log in the database was changed under a running sealer: it does not go through ${epoch}/${size} any more`,
  )
}
