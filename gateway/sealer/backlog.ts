import type pg from 'pg'
import type { SealerMetrics } from './metrics.ts'

/** How many records wait to be sealed, and how long the oldest has. */
export async function showBacklog(client: pg.ClientBase, metrics: SealerMetrics): Promise<void> {
  const { rows } = await client.query<{ rows: string; age: number }>(
    `select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float8 as age
     from palisade.audit_pending`,
  )
  const [{ rows: unsealed, age } = { rows: '0', age: 0 }] = rows
  metrics.unsealed.set(Number(unsealed))
  metrics.lag.set(Math.max(0, age))
}
