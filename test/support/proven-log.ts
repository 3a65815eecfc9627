import type { AuditLog } from '../../core/audit/export.ts'
import { leafHash } from '../../core/audit/merkle.ts'
import type { Evidence } from '../../core/audit/verify.ts'
import { MAC, MAC_KEYS, recordOf, sealedLog, VERIFIERS } from './sealed-log.ts'

export interface ProvenLog {
  readonly log: AuditLog
  readonly evidence: Evidence
}

/** A log of two tenants in batches that end where told, with `waiting` records behind them, and all that proves it. */
export async function provenLog(ends: readonly number[], waiting = 0): Promise<ProvenLog> {
  const count = (ends.at(-1) ?? 0) + waiting
  const records = Array.from({ length: count }, (_, i) => {
    const tenant = i % 2 === 0 ? 'a' : 'b'
    return recordOf(i + 1, { tenant, macKey: MAC.id }, tenant)
  })
  const log = await sealedLog(records, ends)
  return {
    log,
    evidence: {
      verifiers: VERIFIERS,
      checkpoints: log.batches.slice(-1).map(({ checkpoint }) => checkpoint),
      witness: records.map(({ id, record }) => ({ id, leaf: leafHash(record) })),
      macKeys: MAC_KEYS,
    },
  }
}
