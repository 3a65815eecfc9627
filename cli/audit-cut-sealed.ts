import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { checkLog } from '#core/audit/checked-log'
import { sealedCuts } from '#core/audit/cuts'
import type { LogLine } from '#core/audit/export'
import { segmentOf, type SegmentHeader } from '#core/audit/segment'
import { verifySegment } from '#core/audit/verify-segment'
import { PalisadeError } from '#core/problem'
import type { DecidedCut } from '../gateway/store/audit-cut.ts'
import { asAuditor, batchOf, segmentLines } from '../gateway/store/audit-segment.ts'
import type { CutWish } from './audit-cut-record.ts'

const SEAL_WAIT_MS = 30_000

/** The database can say that a record is sealed; that the key of the log signed it is for us to see. */
export async function assertSealed(
  client: pg.Client,
  { recordId }: DecidedCut,
  wish: CutWish,
): Promise<void> {
  const batch = await sealedBatch(client, recordId)
  const lines: (SegmentHeader | LogLine)[] = []
  await asAuditor(client, async () => {
    for await (const line of segmentLines(client, batch)) lines.push(line)
  })
  const [header, ...rest] = lines as [SegmentHeader, ...LogLine[]]
  const { log } = segmentOf(header, rest)
  const [finding] = verifySegment({ header, log }, wish.verifiers, wish.macKeys).findings
  const own = log.records.filter(({ id }) => id === recordId)
  const batches = [...wish.segment.log.batches, ...log.batches]
  const evidence = { verifiers: wish.verifiers, macKeys: wish.macKeys }
  const checked = checkLog({ ...log, records: own, batches }, evidence)
  const [found] = finding ? [] : sealedCuts(checked.told, checked, wish.macKeys).accepted
  const { epoch, first, last } = wish.segment.header
  const isOurs =
    found?.authenticated === true &&
    found.archive === wish.digest &&
    found.epoch === epoch &&
    found.first === first &&
    found.last === last
  if (isOurs) return
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    finding
      ? `the batch of the record of this cut does not hold: ${finding.code} at ${finding.where}`
      : 'the sealed record of this cut is not the one that was written',
  )
}

async function sealedBatch(client: pg.Client, recordId: string) {
  const end = Date.now() + SEAL_WAIT_MS
  for (;;) {
    const batch = await asAuditor(client, () => batchOf(client, recordId))
    if (batch) return batch
    if (Date.now() > end) {
      throw new PalisadeError('ERR_AUDIT_CUT_WAITS', `record ${recordId} waits for the sealer`)
    }
    await pause(100)
  }
}
