import type pg from 'pg'
import { logCheckpointText, type LogCheckpoint } from '#core/audit/log-checkpoint'
import { append, leafHash, rootOf } from '#core/audit/merkle'
import { signNote, type NoteSigner } from '#core/audit/note'
import { placeBytes } from '#core/audit/numbering'
import type { Head } from './head.ts'

/** A record that gets its place now. */
export interface Leaf {
  readonly record_id: string
  readonly tenant_id: string
  readonly leaf: Buffer
}

export interface BatchOptions extends Pick<LogCheckpoint, 'opening' | 'nextKey'> {
  /** Names the log in its checkpoints. */
  readonly log: string
  readonly signers: readonly NoteSigner[]
}

export interface Appended {
  readonly checkpoint: string
  /** By the database's clock. */
  readonly now: Date
}

interface Seal extends Leaf {
  readonly seq: number
  readonly tenantSeq: number
}

/** Seals and one batch with its signed checkpoint, behind this head; within the caller's transaction. */
export async function appendBatch(
  client: pg.ClientBase,
  head: Head,
  leaves: readonly Leaf[],
  { signers, ...said }: BatchOptions,
): Promise<Appended> {
  const { epoch } = head
  const seals = await number(client, head, leaves)
  const records = append(
    head.records,
    seals.map((seal) => seal.leaf),
  )
  const numbering = append(
    head.numbering,
    seals.map(({ seq, tenant_id: tenant, tenantSeq }) =>
      leafHash(placeBytes({ epoch, seq, tenant, tenantSeq })),
    ),
  )
  const { rows } = await client.query<{ counter: string; now: Date }>(
    `select nextval('palisade.audit_batch_counter') as counter, clock_timestamp() as now`,
  )
  const [{ counter, now } = { counter: '0', now: new Date(0) }] = rows
  const root = rootOf(records)
  const text = logCheckpointText({
    ...said,
    epoch,
    size: records.size,
    root,
    numbering: rootOf(numbering),
    counter: Number(counter),
  })
  const checkpoint = await signNote(text, signers)
  await insertSeals(client, epoch, seals)
  await client.query(
    `insert into palisade.audit_batches
       (epoch, first, last, root, prev_root, frontier, numbering_frontier, counter, checkpoint)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      epoch,
      head.records.size + 1,
      records.size,
      root,
      head.root,
      records.nodes,
      numbering.nodes,
      counter,
      checkpoint,
    ],
  )
  return { checkpoint, now }
}

async function number(
  client: pg.ClientBase,
  head: Head,
  leaves: readonly Leaf[],
): Promise<readonly Seal[]> {
  const tenants = [...new Set(leaves.map((row) => row.tenant_id))]
  const { rows } = await client.query<{ tenant_id: string; last: string }>(
    `select t.tenant_id, coalesce((
       select max(s.tenant_seq) from palisade.audit_seals s where s.tenant_id = t.tenant_id and s.epoch = $2
     ), 0) as last
     from unnest($1::uuid[]) as t (tenant_id)`,
    [tenants, head.epoch],
  )
  const last = new Map(rows.map((row) => [row.tenant_id, Number(row.last)]))
  return leaves.map((row, i) => {
    const tenantSeq = (last.get(row.tenant_id) ?? 0) + 1
    last.set(row.tenant_id, tenantSeq)
    return { ...row, seq: head.records.size + 1 + i, tenantSeq }
  })
}

async function insertSeals(
  client: pg.ClientBase,
  epoch: number,
  seals: readonly Seal[],
): Promise<void> {
  await client.query(
    `insert into palisade.audit_seals (epoch, seq, record_id, tenant_id, tenant_seq, leaf)
     select $1, * from unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bytea[])`,
    [
      epoch,
      seals.map((seal) => seal.seq),
      seals.map((seal) => seal.record_id),
      seals.map((seal) => seal.tenant_id),
      seals.map((seal) => seal.tenantSeq),
      seals.map((seal) => seal.leaf),
    ],
  )
}
