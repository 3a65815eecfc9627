import type pg from 'pg'
import { withClient } from './postgres.ts'

const TABLES = ['audit_seals', 'audit_batches']

/** What an administrator of the database can do and no role of ours can; it waits for whoever appends at this moment. */
export async function letTablesShrink(client: pg.Client): Promise<void> {
  for (const table of TABLES) {
    await client.query(`alter table palisade.${table} disable trigger only_grows`)
  }
}

/** What was sealed behind this place waits to be sealed again, behind five records that were not there before. */
export async function regrow(client: pg.Client, size: number): Promise<void> {
  const waits = 'insert into palisade.audit_pending (record_id, tenant_id, leaf)'
  await client.query(
    `${waits} select gen_random_uuid(), gen_random_uuid(), sha256(n::text::bytea) from generate_series(1, 5) as n`,
  )
  await client.query(
    `with cut as (delete from palisade.audit_seals where seq > $1 returning *)
     ${waits} select record_id, tenant_id, leaf from cut`,
    [size],
  )
  await client.query('delete from palisade.audit_batches where last > $1', [size])
}

/** At one moment, so that no sealer sees a log that is only shorter. */
export async function cutAndRegrow(superuser: pg.ClientConfig, size: number): Promise<void> {
  await withClient(superuser, async (client) => {
    await client.query('begin')
    await letTablesShrink(client)
    await regrow(client, size)
    for (const table of TABLES) {
      await client.query(`alter table palisade.${table} enable always trigger only_grows`)
    }
    await client.query('commit')
  })
}
