import type pg from 'pg'
import type { LogPlace, SecretState } from './logged-secrets.ts'

/** A secret as its row has it. */
export interface SecretRow extends SecretState {
  readonly secret: string
  readonly updatedAt: Date
  /** After the last change that was committed and waits to be sealed, if one does. */
  readonly waiting: SecretState | undefined
}

interface Page {
  readonly rows: readonly SecretRow[]
  /** Where the log ended when they were read. */
  readonly end: LogPlace
}

/** How far retention has taken records, and when the batch was sealed that held the last of them. */
export interface CutThrough extends LogPlace {
  readonly sealedAt: Date
}

/**
 * The next rows by id, and where the log ended, in one statement and so in one picture: in it each row is what its last
 * record says, sealed or waiting, whoever writes meanwhile.
 */
export async function nextRows(client: pg.ClientBase, after: string, limit: number): Promise<Page> {
  interface Row {
    readonly epoch: number | null
    readonly last: string | null
    readonly secret: string | null
    readonly version: number
    readonly deleted: boolean
    readonly updated_at: Date
    readonly waiting_version: number | null
    readonly waiting_deleted: boolean | null
  }
  const { rows } = await client.query<Row>(
    `select e.epoch, e.last, h.*
     from (select) one
       left join (
         select epoch, last from palisade.audit_batches order by epoch desc, last desc limit 1
       ) e on true
       left join palisade.secret_heads($1, $2) h on true
     order by h.secret`,
    [after, limit],
  )
  const end = { epoch: rows[0]?.epoch ?? 0, seq: Number(rows[0]?.last ?? 0) }
  const found = rows.flatMap((row): SecretRow[] => {
    const { secret, version, deleted, updated_at: updatedAt } = row
    if (secret === null) return []
    const waiting =
      row.waiting_version === null
        ? undefined
        : { version: row.waiting_version, deleted: row.waiting_deleted === true }
    return [{ secret, version, deleted, updatedAt, waiting }]
  })
  return { rows: found, end }
}

/** Undefined while nothing was cut. */
export async function cutThrough(client: pg.ClientBase): Promise<CutThrough | undefined> {
  const { rows } = await client.query<{ epoch: number; seq: string; sealed_at: Date }>(
    `select c.epoch, p.next - 1 as seq, b.sealed_at
     from palisade.audit_cut_progress p
       join palisade.audit_cuts c using (record_id)
       join palisade.audit_batches b on b.epoch = c.epoch and p.next - 1 between b.first and b.last
     where p.next > c.first
     order by b.sealed_at desc, c.epoch desc, p.next desc limit 1`,
  )
  const [row] = rows
  return row && { epoch: row.epoch, seq: Number(row.seq), sealedAt: row.sealed_at }
}
