import type pg from 'pg'
import { place, type Finding, type FindingCode } from '#core/audit/findings'
import type { NoteVerifier } from '#core/audit/note'
import { breathe } from './breath.ts'
import { checkBatch, type StoredBatch, type StoredSeal } from './check-batch.ts'
import { readEnd } from './head.ts'

export interface SelfCheck {
  readonly records: number
  readonly batches: number
  /** The first of them; a log that was rewritten has one for each batch. */
  readonly findings: readonly Finding[]
}

/** Of one page: what one statement reads, and what keeps the event loop from sealing. */
const BATCHES = 200
const RECORDS = 5_000
const FINDINGS = 20

/**
 * The whole log up to its present end, as far as the sealer may see it: order, trees, signatures, and whether records
 * are there and unchanged, which the database answers with numbers. Who rules the database may make it lie about the
 * last one; `palisade audit verify`, which reads the records themselves, is what proves it.
 */
export async function selfCheck(
  client: pg.ClientBase,
  verifiers: readonly NoteVerifier[],
  signal?: AbortSignal,
): Promise<SelfCheck> {
  const end = await readEnd(client)
  const findings: Finding[] = []
  let [records, batches] = [0, 0]
  let before: StoredBatch | undefined
  for (;;) {
    const page = await nextBatches(client, before, end)
    const [first, last] = [page[0], page.at(-1)]
    if (!first || !last || findings.length >= FINDINGS) break
    const seals = await sealsOf(client, first.epoch, first.first, last.last)
    for (const batch of page) {
      const own = seals.filter(({ seq }) => seq >= batch.first && seq <= batch.last)
      const found = checkBatch(batch, before, own, verifiers)
      if (found) findings.push(found)
      before = batch
    }
    findings.push(...(await brokenRecords(client, first.epoch, first.first, last.last)))
    records += seals.length
    batches += page.length
    await breathe(signal)
  }
  return { records, batches, findings: findings.slice(0, FINDINGS) }
}

interface BatchRow {
  readonly epoch: number
  readonly first: string
  readonly last: string
  readonly root: Buffer
  readonly prev_root: Buffer
  readonly frontier: Buffer[]
  readonly numbering_frontier: Buffer[]
  readonly checkpoint: string
}

/** Of one epoch, and of as many records as a page takes; always one, when there is one. */
async function nextBatches(
  client: pg.ClientBase,
  after: StoredBatch | undefined,
  end: { readonly epoch: number; readonly size: number },
): Promise<StoredBatch[]> {
  const { rows } = await client.query<BatchRow>(
    `select epoch, first, last, root, prev_root, frontier, numbering_frontier, checkpoint
     from palisade.audit_batches
     where (epoch, last) > ($1::integer, $2::bigint) and (epoch, last) <= ($3::integer, $4::bigint)
     order by epoch, last limit $5`,
    [after?.epoch ?? 0, after?.last ?? 0, end.epoch, end.size, BATCHES],
  )
  const batches = rows.map((row): StoredBatch => ({
    epoch: row.epoch,
    first: Number(row.first),
    last: Number(row.last),
    root: row.root,
    prevRoot: row.prev_root,
    frontier: row.frontier,
    numberingFrontier: row.numbering_frontier,
    checkpoint: row.checkpoint,
  }))
  const [one] = batches
  return batches.filter(
    (batch) => batch === one || (batch.epoch === one?.epoch && batch.last - one.first < RECORDS),
  )
}

async function sealsOf(
  client: pg.ClientBase,
  epoch: number,
  first: number,
  last: number,
): Promise<StoredSeal[]> {
  const { rows } = await client.query<{
    seq: string
    tenant_id: string
    tenant_seq: string
    leaf: Buffer
  }>(
    `select seq, tenant_id, tenant_seq, leaf from palisade.audit_seals
     where epoch = $1 and seq between $2 and $3 order by seq`,
    [epoch, first, last],
  )
  return rows.map(({ seq, tenant_id: tenant, tenant_seq, leaf }) => ({
    ...{ seq: Number(seq), tenant, tenantSeq: Number(tenant_seq), leaf },
  }))
}

async function brokenRecords(
  client: pg.ClientBase,
  epoch: number,
  from: number,
  to: number,
): Promise<Finding[]> {
  const { rows } = await client.query<Broken>('select * from palisade.broken_records($1, $2, $3)', [
    epoch,
    from,
    to,
  ])
  const [broken] = rows
  // A function that was put in its place and answers less must not pass for a log in order.
  const counts = [broken?.changed, broken?.missing, broken?.misfiled]
  if (!broken || rows.length !== 1 || !counts.every((count) => /^\d+$/.test(count ?? '')))
    throw new Error('palisade.broken_records did not answer one row of counts')
  const where = place(epoch, Number(broken.first ?? from), to)
  const all: (readonly [count: string, code: FindingCode, detail: string])[] = [
    [broken.changed, 'RecordEdited', 'records differ from what was sealed'],
    [broken.missing, 'RecordDeleted', 'sealed records are not there'],
    [broken.misfiled, 'RecordMisfiled', 'records name another tenant than the one they are under'],
  ]
  return all
    .filter(([count]) => Number(count) > 0)
    .map(([count, code, detail]) => ({ code, where, detail: `${count} ${detail}` }))
}

/** Numbers are bigint. */
interface Broken {
  readonly changed: string
  readonly missing: string
  readonly misfiled: string
  readonly first: string | null
}
