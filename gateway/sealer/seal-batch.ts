import type pg from 'pg'
import { appendBatch, type Leaf } from './append-batch.ts'
import { assertGoesOn } from './continuity.ts'
import { readHead } from './head.ts'
import { handOver, handOverDue } from './hand-over.ts'
import type { CheckpointSigner } from './ports.ts'
import { positionOf } from './progress.ts'
import type { OwnRecords } from './own-records.ts'
import { asOnlySealer } from './only-sealer.ts'

export interface SealOptions {
  /** Names the log in its checkpoints: `<host>/audit/<cluster id>`. */
  readonly log: string
  readonly signers: readonly CheckpointSigner[]
  /** Records per batch at most. */
  readonly limit: number
  /** Makes the sealer's own records; needed when a key hands over to its successor. */
  readonly records?: OwnRecords
  /** Checkpoint that the log is known to go through; nothing is appended where it no longer does. */
  readonly after?: string | undefined
}

export interface Sealed {
  readonly count: number
  /** Commit to seal, of the record that waited longest. */
  readonly oldestWaitSeconds: number
  readonly checkpoint: string
}

interface Pending extends Leaf {
  readonly since: Date
}

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
  return asOnlySealer(client, () => appendPending(client, options), lock)
}

async function appendPending(
  client: pg.ClientBase,
  { log, signers, limit, records, after }: SealOptions,
): Promise<Sealed | undefined> {
  const head = await readHead(client)
  const due = handOverDue(head, signers)
  const goesOn = () => assertGoesOn(client, head, after ? positionOf(after) : undefined)
  if (due) {
    await goesOn()
    const { checkpoint } = await handOver(client, head, due, { log, signers, records })
    return { count: 1, oldestWaitSeconds: 0, checkpoint }
  }
  const pending = await takePending(client, limit)
  const [oldest] = pending
  if (!oldest) return undefined
  await goesOn()
  const { checkpoint, now } = await appendBatch(client, head, pending, { log, signers })
  const oldestWaitSeconds = (now.getTime() - oldest.since.getTime()) / 1000
  return { count: pending.length, oldestWaitSeconds, checkpoint }
}

async function takePending(client: pg.ClientBase, limit: number): Promise<readonly Pending[]> {
  const { rows } = await client.query<Pending>(
    // To the microsecond: two changes of one secret within a millisecond have to come in their order.
    `with taken as (
       delete from palisade.audit_pending
       where record_id in (select record_id from palisade.audit_pending order by since limit $1)
       returning record_id, tenant_id, leaf, since
     )
     select * from taken order by since, record_id`,
    [limit],
  )
  return rows
}
