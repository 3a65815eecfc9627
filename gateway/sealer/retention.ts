import type pg from 'pg'

/** What retention has left and taken; times in seconds of the Unix epoch. */
export interface RetentionState {
  /** When the oldest batch was sealed whose records are still there; undefined in an empty log. */
  readonly oldestRecord: number | undefined
  readonly cutRecords: number
  /** Undefined before the first one. */
  readonly lastCut: number | undefined
  /** Cuts that were decided and have records left to take. */
  readonly unfinished: number
}

/** Looked up by key in batches and cuts: this role reads no record. */
export async function readRetention(client: pg.ClientBase): Promise<RetentionState> {
  interface Row {
    oldest: number | null
    taken: string
    decided: number | null
    unfinished: string
  }
  const { rows } = await client.query<Row>(
    `with done as (
       select c.epoch, c.last, c.requested_at, coalesce(p.taken, 0) as taken, coalesce(p.next > c.last, false) as finished
       from palisade.audit_cuts c left join palisade.audit_cut_progress p using (record_id)
     ), oldest as (
       select min((
         select b.sealed_at from palisade.audit_batches b
         where b.epoch = e.epoch
           and b.first > coalesce((select max(d.last) from done d where d.epoch = e.epoch and d.finished), 0)
         order by b.first limit 1
       )) as sealed_at
       from generate_series(1, (select max(epoch) from palisade.audit_batches)) as e (epoch)
     )
     select (select extract(epoch from sealed_at)::float8 from oldest) as oldest,
       coalesce(sum(taken), 0) as taken, extract(epoch from max(requested_at))::float8 as decided,
       count(*) filter (where not finished) as unfinished
     from done`,
  )
  const [row] = rows
  return {
    oldestRecord: row?.oldest ?? undefined,
    cutRecords: Number(row?.taken ?? 0),
    lastCut: row?.decided ?? undefined,
    unfinished: Number(row?.unfinished ?? 0),
  }
}
