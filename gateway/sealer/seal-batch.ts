import type pg from 'pg'
import { logCheckpointText } from '#core/audit/log-checkpoint'
import { append, leafHash, rootOf } from '#core/audit/merkle'
import { signNote } from '#core/audit/note'
import { placeBytes } from '#core/audit/numbering'
import { readHead, type Head } from './head.ts'
import type { CheckpointSigner } from './ports.ts'

export interface SealOptions {
  /** Names the log in its checkpoints: `<host>/audit/<cluster id>`. */
  readonly log: string
  readonly signers: readonly CheckpointSigner[]
  /** Records per batch at most. */
  readonly limit: number
}

export interface Sealed {
  readonly count: number
  /** Commit to seal, of the record that waited longest. */
  readonly oldestWaitSeconds: number
  readonly checkpoint: string
}

interface Pending {
  readonly record_id: string
  readonly tenant_id: string
  readonly leaf: Buffer
  readonly since: Date
}

interface Seal extends Pending {
  readonly seq: number
  readonly tenantSeq: number
}

/** Any number, but always the same one. It saves a second sealer useless work; the keys are what stops it. */
const LOCK = 7_203_114_502

/**
 * Takes what is pending and appends it to the log: seals, one batch and its signed checkpoint in one transaction.
 * Pending rows are taken as they lie there, never from an id upwards, since commits do not come in the order of ids.
 * Of two sealers that saw the same head one violates a key and rolls back; what it had taken stays pending.
 * @returns undefined when there is nothing to seal, or another sealer is at work
 */
export async function sealBatch(
  client: pg.ClientBase,
  options: SealOptions,
  lock = true,
): Promise<Sealed | undefined> {
  await client.query('begin')
  try {
    const sealed = (!lock || (await isAlone(client))) && (await appendPending(client, options))
    await client.query(sealed ? 'commit' : 'rollback')
    return sealed || undefined
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function isAlone(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(
    'select pg_try_advisory_xact_lock($1) as mine',
    [LOCK],
  )
  return rows[0]?.mine === true
}

async function appendPending(
  client: pg.ClientBase,
  { log, signers, limit }: SealOptions,
): Promise<Sealed | undefined> {
  const head = await readHead(client)
  const pending = await takePending(client, limit)
  const [oldest] = pending
  if (!oldest) return undefined
  const seals = await number(client, head, pending)
  const records = append(
    head.records,
    seals.map((seal) => seal.leaf),
  )
  const numbering = append(
    head.numbering,
    seals.map((seal) =>
      leafHash(
        placeBytes({
          epoch: head.epoch,
          seq: seal.seq,
          tenant: seal.tenant_id,
          tenantSeq: seal.tenantSeq,
        }),
      ),
    ),
  )
  const { rows } = await client.query<{ counter: string; now: Date }>(
    `select nextval('palisade.audit_batch_counter') as counter, clock_timestamp() as now`,
  )
  const [{ counter, now } = { counter: '0', now: new Date(0) }] = rows
  const root = rootOf(records)
  const text = logCheckpointText({
    log,
    epoch: head.epoch,
    size: records.size,
    root,
    numbering: rootOf(numbering),
    counter: Number(counter),
  })
  const checkpoint = await signNote(text, signers)
  await insertSeals(client, head.epoch, seals)
  await client.query(
    `insert into palisade.audit_batches
       (epoch, first, last, root, prev_root, frontier, numbering_frontier, counter, checkpoint)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      head.epoch,
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
  const oldestWaitSeconds = (now.getTime() - oldest.since.getTime()) / 1000
  return { count: seals.length, oldestWaitSeconds, checkpoint }
}

async function takePending(client: pg.ClientBase, limit: number): Promise<readonly Pending[]> {
  const { rows } = await client.query<Pending>(
    `delete from palisade.audit_pending
     where record_id in (select record_id from palisade.audit_pending order by since limit $1)
     returning record_id, tenant_id, leaf, since`,
    [limit],
  )
  return rows.sort((a, b) => a.since.getTime() - b.since.getTime())
}

async function number(
  client: pg.ClientBase,
  head: Head,
  pending: readonly Pending[],
): Promise<readonly Seal[]> {
  const tenants = [...new Set(pending.map((row) => row.tenant_id))]
  const { rows } = await client.query<{ tenant_id: string; last: string }>(
    `select t.tenant_id, coalesce((
       select max(s.tenant_seq) from palisade.audit_seals s where s.tenant_id = t.tenant_id and s.epoch = $2
     ), 0) as last
     from unnest($1::uuid[]) as t (tenant_id)`,
    [tenants, head.epoch],
  )
  const last = new Map(rows.map((row) => [row.tenant_id, Number(row.last)]))
  return pending.map((row, i) => {
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
