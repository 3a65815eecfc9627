import type pg from 'pg'
import { lostRange, type EpochOpening, type LogEnd } from '#core/audit/epoch-opening'
import { originOf } from '#core/audit/log-checkpoint'
import { EMPTY_FRONTIER } from '#core/audit/merkle'
import { appendBatch } from './append-batch.ts'
import { handOverDue } from './hand-over.ts'
import { readHead } from './head.ts'
import { asOnlySealer } from './only-sealer.ts'
import { insertOwnRecord, type OwnRecords } from './own-records.ts'
import type { CheckpointSigner } from './ports.ts'

export interface OpenOptions {
  readonly log: string
  readonly signers: readonly CheckpointSigner[]
  readonly records: OwnRecords | undefined
}

export interface OpenedEpoch {
  readonly epoch: number
  readonly lost: string
  readonly checkpoint: string
  readonly record: string
  readonly leaf: string
}

interface Agreed {
  readonly id: string
  readonly reference: string
  readonly proposed_by: string
  readonly approved_by: string
}

/**
 * Opens the next epoch when two people agreed on exactly this loss: the log as it ends here, and what was signed
 * beyond it. One transaction; of two sealers one violates a key, and one that was killed leaves nothing.
 * @returns undefined when nobody agreed on it, or another sealer is at work
 */
export async function openEpoch(
  client: pg.ClientBase,
  lost: LogEnd,
  { log, signers, records }: OpenOptions,
): Promise<OpenedEpoch | undefined> {
  return asOnlySealer(client, async () => {
    const head = await readHead(client)
    const survives = { epoch: head.epoch, size: head.records.size, root: head.root }
    const agreed = await agreement(client, survives, lost)
    if (!agreed) return undefined
    // What survived must be ours to the end, and signed by a key that goes on: a new one comes first in its own epoch.
    const due = handOverDue(head, signers)
    const opening = { survives, lost }
    const epoch = lost.epoch + 1
    const leaf = await insertOwnRecord(client, records, {
      eventType: 'audit.epoch-opened',
      subject: { kind: 'log', id: originOf(log, epoch) },
      request: agreed.id,
      details: detailsOf(opening, agreed),
    })
    const empty = { records: EMPTY_FRONTIER, numbering: EMPTY_FRONTIER, checkpoint: null }
    const next = { ...empty, epoch, root: head.root }
    const by = due ? [due.from] : signers
    const { checkpoint } = await appendBatch(client, next, [leaf], { log, signers: by, opening })
    await client.query(
      'update palisade.audit_recoveries set record_id = $2, opened_at = clock_timestamp() where id = $1',
      [agreed.id, leaf.record_id],
    )
    const record = leaf.record_id
    return { epoch, lost: lostRange(opening), checkpoint, record, leaf: leaf.leaf.toString('hex') }
  })
}

async function agreement(
  client: pg.ClientBase,
  survives: LogEnd,
  lost: LogEnd,
): Promise<Agreed | undefined> {
  const { rows } = await client.query<Agreed>(
    `select id, reference, proposed_by, approved_by from palisade.audit_recoveries
     where approved_by <> proposed_by and record_id is null and expires_at > clock_timestamp()
       and (head_epoch, head_size, head_root, outside_epoch, outside_size, outside_root) = ($1, $2, $3, $4, $5, $6)
     order by approved_at limit 1`,
    [survives.epoch, survives.size, survives.root, lost.epoch, lost.size, lost.root],
  )
  return rows[0]
}

const detailsOf = ({ survives, lost }: EpochOpening, agreed: Agreed) => ({
  survivesEpoch: survives.epoch,
  survivesSize: survives.size,
  survivesRoot: Buffer.from(survives.root).toString('base64'),
  lostEpoch: lost.epoch,
  lostSize: lost.size,
  lostRoot: Buffer.from(lost.root).toString('base64'),
  lost: lostRange({ survives, lost }),
  proposedBy: agreed.proposed_by,
  approvedBy: agreed.approved_by,
  reference: agreed.reference,
})
