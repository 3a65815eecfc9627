import { Buffer } from 'node:buffer'
import type { AuditRow, IntakeOutcome, ReportedStep } from '../ports/audit-records.ts'
import type { Caller } from '../ports/callers.ts'
import type { NotedReading } from '../ports/noted-readings.ts'
import type { SecretHead, StoredVersion, WriteOutcome } from '../ports/secrets.ts'

export interface HeadRow {
  readonly outcome: string
  readonly secret_id: string | null
  readonly current_version: number
  readonly deleted: boolean
  readonly head_key_id: string
  readonly head_mac: Buffer
  readonly created_at: Date
}

export interface ReadRow extends HeadRow {
  readonly version: number
  readonly format: number
  readonly algorithm: 'A256GCM'
  readonly nonce: Buffer
  readonly ciphertext: Buffer
  readonly wrapped_key: string
}

/** Tenant, user and token version: the first three values of every statement that acts for a caller. */
export const callerValues = (caller: Caller) => [
  caller.tenantId,
  caller.userId,
  caller.tokenVersion,
]

export const auditValues = (row: AuditRow) => [
  row.id,
  row.formatVersion,
  row.writer,
  row.keyId,
  bytes(row.bytes),
  bytes(row.mac),
]

export const bytes = (value: Uint8Array) =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength)

export interface ReadingRow extends Omit<NotedReading, 'notedAt' | 'openUntil'> {
  readonly noted_at: Date
  readonly open_until: Date
}

export interface IntakeRow {
  /** From 1, as the database counts. */
  readonly place: number
  readonly outcome: string
}

/** Column by column; format, writer and key are those of the process and so the same in each record. */
export const intakeValues = (
  steps: readonly ReportedStep[],
  { formatVersion, writer, keyId }: AuditRow,
) => [
  steps.map(({ resource }) => resource),
  steps.map(({ rotationId }) => rotationId),
  steps.map(({ seq }) => seq),
  steps.map(({ type }) => type),
  steps.map(({ digest }) => bytes(digest)),
  steps.map(({ audit }) => audit.id),
  formatVersion,
  writer,
  keyId,
  steps.map(({ audit }) => bytes(audit.bytes)),
  steps.map(({ audit }) => bytes(audit.mac)),
]

/** A record without a change in its transaction, and the user who caused it, where one is known. */
export interface StandaloneRecord {
  readonly subject: string | null
  readonly row: AuditRow
}

export const standaloneColumns = (records: readonly StandaloneRecord[]) => [
  records.map(({ row }) => row.tenantId),
  records.map(({ subject }) => subject),
  records.map(({ row }) => row.id),
  records.map(({ row }) => row.formatVersion),
  records.map(({ row }) => row.writer),
  records.map(({ row }) => row.keyId),
  records.map(({ row }) => bytes(row.bytes)),
  records.map(({ row }) => bytes(row.mac)),
]

export function toIntakeOutcome(rows: readonly IntakeRow[]): IntakeOutcome {
  const wrong = rows.filter(({ outcome }) => outcome === 'conflict')
  return wrong.length > 0
    ? { kind: 'conflict', places: wrong.map(({ place }) => place - 1) }
    : { kind: 'recorded', fresh: rows.map(({ outcome }) => outcome === 'accepted') }
}

export function toHead(name: string, row: HeadRow): SecretHead | null {
  if (row.secret_id === null) return null
  return {
    secretId: row.secret_id,
    name,
    currentVersion: row.current_version,
    deleted: row.deleted,
    keyId: row.head_key_id,
    mac: row.head_mac,
  }
}

export function toVersion(row: ReadRow): StoredVersion {
  return {
    version: row.version,
    format: row.format,
    algorithm: row.algorithm,
    nonce: row.nonce,
    ciphertext: row.ciphertext,
    wrappedKey: row.wrapped_key,
    createdAt: row.created_at,
  }
}

export function toWriteOutcome(name: string, row: HeadRow): WriteOutcome {
  switch (row.outcome) {
    case 'written':
      return { kind: 'written', createdAt: row.created_at }
    case 'moved':
      return { kind: 'moved', head: toHead(name, row) }
    case 'keyReused':
      return { kind: 'keyReused' }
    case 'repeated':
      return {
        kind: 'repeated',
        secretId: row.secret_id ?? '',
        version: row.current_version,
        createdAt: row.created_at,
      }
    default:
      throw new Error(`the database answered the unknown outcome "${row.outcome}"`)
  }
}
