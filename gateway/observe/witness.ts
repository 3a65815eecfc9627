import type { FastifyBaseLogger } from 'fastify'
import type { AuditRow } from '../ports/audit-records.ts'
import { evidenceLog } from './log.ts'

/**
 * After the commit, id and leaf hash go to the log, which leaves the machine: whoever edits or removes the row
 * before it is sealed has to reach that copy too.
 */
export function witness(log: FastifyBaseLogger): (row: AuditRow) => void {
  const evidence = evidenceLog(log)
  return (row) =>
    evidence.info(
      { audit: row.id, leaf: Buffer.from(row.leaf).toString('hex') },
      'Committed audit record',
    )
}
