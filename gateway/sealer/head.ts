import type pg from 'pg'
import { EMPTY_FRONTIER, isFrontier, rootOf, type Frontier } from '#core/audit/merkle'
import { PalisadeError } from '#core/problem'

/** Where the log ends, as the database says. */
export interface Head {
  readonly epoch: number
  readonly records: Frontier
  readonly numbering: Frontier
  readonly root: Uint8Array
  /** The signed checkpoint of the last batch; null before the first. */
  readonly checkpoint: string | null
}

interface BatchRow {
  readonly epoch: number
  readonly last: string
  readonly root: Buffer
  readonly frontier: Buffer[]
  readonly numbering_frontier: Buffer[]
  readonly checkpoint: string
}

const EMPTY_HEAD: Head = {
  epoch: 1,
  records: EMPTY_FRONTIER,
  numbering: EMPTY_FRONTIER,
  root: rootOf(EMPTY_FRONTIER),
  checkpoint: null,
}

/** @throws ERR_AUDIT_TAMPERED when nothing can be built on what stands there */
export async function readHead(client: pg.ClientBase): Promise<Head> {
  const { rows } = await client.query<BatchRow>(
    `select epoch, last, root, frontier, numbering_frontier, checkpoint
     from palisade.audit_batches order by epoch desc, last desc limit 1`,
  )
  const [row] = rows
  if (!row) return EMPTY_HEAD
  const size = Number(row.last)
  const records = { size, nodes: row.frontier }
  const numbering = { size, nodes: row.numbering_frontier }
  // A frontier that does not give the root was not written by a sealer.
  const isWhole = isFrontier(records) && isFrontier(numbering)
  if (!isWhole || Buffer.compare(rootOf(records), row.root) !== 0) {
    throw new PalisadeError(
      'ERR_AUDIT_TAMPERED',
      `the frontier of batch ${row.epoch}/${size} does not belong to its root`,
    )
  }
  return { epoch: row.epoch, records, numbering, root: row.root, checkpoint: row.checkpoint }
}

/** Where the last batch ends, whatever else it says; size 0 in an empty log. */
export async function readEnd(
  client: pg.ClientBase,
): Promise<{ readonly epoch: number; readonly size: number }> {
  const { rows } = await client.query<{ epoch: number; last: string }>(
    'select epoch, last from palisade.audit_batches order by epoch desc, last desc limit 1',
  )
  return { epoch: rows[0]?.epoch ?? 1, size: Number(rows[0]?.last ?? 0) }
}

/** The root of the batch that ended at this size, if one did. */
export async function rootAt(
  client: pg.ClientBase,
  epoch: number,
  size: number,
): Promise<Buffer | undefined> {
  const { rows } = await client.query<{ root: Buffer }>(
    'select root from palisade.audit_batches where epoch = $1 and last = $2',
    [epoch, size],
  )
  return rows[0]?.root
}

/** The checkpoints with which the epochs after this one began, oldest first. */
export async function firstCheckpointsAfter(
  client: pg.ClientBase,
  epoch: number,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ checkpoint: string }>(
    'select checkpoint from palisade.audit_batches where epoch > $1 and first = 1 order by epoch',
    [epoch],
  )
  return rows.map(({ checkpoint }) => checkpoint)
}
