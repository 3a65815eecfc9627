import type pg from 'pg'

/** Rows of one statement: small enough that a request which wants the same row waits for milliseconds at most. */
const PURGE_BATCH = 500

/**
 * Takes away what a day made useless: idempotency keys, and counters of refusals that have their record. Row-level
 * security shows this role nothing younger. Each statement is a transaction of its own and locks what it takes alone.
 * @returns how many rows went; as many as the batch of either table means that there may be more
 */
export async function purge(client: pg.ClientBase, batch = PURGE_BATCH): Promise<Purged> {
  const keys = await client.query(
    `with old as (
       select tenant_id, subject, key_digest from palisade.idempotency_keys
       where created_at < now() - interval '25 hours' order by created_at limit $1
     )
     delete from palisade.idempotency_keys k using old
     where k.tenant_id = old.tenant_id and k.subject = old.subject and k.key_digest = old.key_digest`,
    [batch],
  )
  const counters = await client.query(
    `with old as (
       select minute, reason, route, source_digest, writer from palisade.audit_counters
       where record_id is not null and minute < now() - interval '24 hours' order by minute limit $1
     )
     delete from palisade.audit_counters c using old
     where c.minute = old.minute and c.reason = old.reason and c.route = old.route
       and c.source_digest = old.source_digest and c.writer = old.writer`,
    [batch],
  )
  const gone = { idempotencyKeys: keys.rowCount ?? 0, refusalCounters: counters.rowCount ?? 0 }
  return { ...gone, isMore: Math.max(...Object.values(gone)) >= batch }
}

export interface Purged {
  readonly idempotencyKeys: number
  readonly refusalCounters: number
  readonly isMore: boolean
}
