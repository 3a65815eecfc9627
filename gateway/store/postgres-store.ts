import { createHash } from 'node:crypto'
import type {
  AuditRow,
  IntakeOutcome,
  IntakeStore,
  ReportedStep,
  SealStore,
} from '../ports/audit-records.ts'
import type { AuditReadStore, AuditWish, AuditReach, FoundPage } from '../ports/audit-search.ts'
import type { Caller } from '../ports/callers.ts'
import type { NotedReading, ReadingStore } from '../ports/noted-readings.ts'
import type { CountedRefusal, RefusalStore, RefusalTotals } from '../ports/refusals.ts'
import type {
  ChangeHead,
  ReadOutcome,
  ReadSecret,
  SecretHead,
  SecretSummary,
  WriteOutcome,
  WriteSecret,
} from '../ports/secrets.ts'
import type { Store } from '../ports/store.ts'
import type { VolumeStore, VolumeUse } from '../ports/volume.ts'
import { PalisadeError } from '#core/problem'
import {
  searchValues,
  toFoundPage,
  toReach,
  type FoundDatabaseRow,
  type ReachRow,
} from './audit-search.ts'
import type { Role } from '../identity/roles.ts'
import { Connections, type DatabaseMetrics, type StoreOptions } from './connections.ts'
import { readMigrations } from './migrate.ts'
import { RecordBatches } from './record-batches.ts'
import { countColumns, toTotals, type TotalsRow } from './refusal-rows.ts'
import {
  auditValues,
  bytes,
  callerValues,
  intakeValues,
  standaloneColumns,
  toHead,
  toIntakeOutcome,
  toVersion,
  toWriteOutcome,
  type HeadRow,
  type IntakeRow,
  type ReadRow,
  type ReadingRow,
  type StandaloneRecord,
} from './rows.ts'

/** Minutes that get their record in one go; after an outage the next flush takes more. */
const REFUSAL_PAGE = 50
/** Readings that get their record in one go. */
const READING_PAGE = 50

/**
 * The store on PostgreSQL: each call is one statement, which is one transaction and one round trip. Records that stand
 * for themselves share one when they come at the same moment.
 */
export class PostgresStore
  implements Store, IntakeStore, RefusalStore, ReadingStore, SealStore, VolumeStore, AuditReadStore
{
  readonly #connections: Connections
  readonly #records = new RecordBatches<StandaloneRecord>((all) => this.#commitRecords(all))
  #newestMigration: string | undefined

  constructor(options: StoreOptions, metrics?: DatabaseMetrics) {
    this.#connections = new Connections(options, metrics)
  }

  async findHead(caller: Caller, name: string): Promise<SecretHead | null> {
    const [row] = await this.#connections.run<HeadRow & { id: string }>('findHead', [
      ...callerValues(caller),
      name,
    ])
    return row ? toHead(name, { ...row, secret_id: row.id }) : null
  }

  async readSecret(caller: Caller, wish: ReadSecret): Promise<ReadOutcome> {
    const row = await this.#one<ReadRow>('readSecret', [
      ...callerValues(caller),
      wish.name,
      wish.version,
      wish.expected,
      ...auditValues(wish.audit.read),
      ...auditValues(wish.audit.absent),
    ])
    const head = toHead(wish.name, row)
    if (row.outcome === 'absent' || !head) return { kind: 'absent' }
    return row.outcome === 'read'
      ? { kind: 'read', head, version: toVersion(row) }
      : { kind: 'moved', head }
  }

  async writeSecret(caller: Caller, wish: WriteSecret): Promise<WriteOutcome> {
    const { sealed, head, idempotency } = wish
    const row = await this.#one<HeadRow>('writeSecret', [
      ...callerValues(caller),
      wish.name,
      wish.secretId,
      wish.expected,
      sealed.format,
      sealed.algorithm,
      bytes(sealed.nonce),
      bytes(sealed.ciphertext),
      sealed.wrappedKey,
      head.keyId,
      bytes(head.mac),
      ...auditValues(wish.audit),
      idempotency && createHash('sha256').update(idempotency.key).digest(),
      idempotency && bytes(idempotency.requestDigest),
    ])
    return toWriteOutcome(wish.name, row)
  }

  async changeHead(caller: Caller, wish: ChangeHead): Promise<WriteOutcome> {
    const row = await this.#one<HeadRow>('changeHead', [
      ...callerValues(caller),
      wish.name,
      wish.expected.version,
      wish.expected.deleted,
      wish.head.currentVersion,
      wish.head.deleted,
      wish.head.keyId,
      bytes(wish.head.mac),
      ...auditValues(wish.audit),
    ])
    return toWriteOutcome(wish.name, row)
  }

  async listSecrets(
    caller: Caller,
    page: { readonly after: string | null; readonly limit: number },
    audit: AuditRow,
  ): Promise<readonly SecretSummary[]> {
    const rows = await this.#connections.run<{
      id: string
      name: string
      version: number
      deleted: boolean
      created_at: Date
      updated_at: Date
    }>('listSecrets', [...callerValues(caller), page.after, page.limit, ...auditValues(audit)])
    return rows.map(({ created_at, updated_at, ...rest }) => ({
      ...rest,
      createdAt: created_at,
      updatedAt: updated_at,
    }))
  }

  appendAudit(caller: Caller | null, row: AuditRow): Promise<void> {
    return this.#records.append({ subject: caller?.userId ?? null, row })
  }

  #commitRecords(records: readonly StandaloneRecord[]): Promise<unknown> {
    const [first, ...others] = records
    if (!first) return Promise.resolve()
    if (others.length > 0) return this.#connections.run('appendAudits', standaloneColumns(records))
    const { subject, row } = first
    return this.#connections.run('appendAudit', [row.tenantId, subject, ...auditValues(row)])
  }

  async ingestAudit(reporter: string, steps: readonly ReportedStep[]): Promise<IntakeOutcome> {
    const [first] = steps
    if (!first) return { kind: 'recorded', fresh: [] }
    const values = [first.audit.tenantId, reporter, ...intakeValues(steps, first.audit)]
    return toIntakeOutcome(await this.#connections.run<IntakeRow>('ingestAudit', values))
  }

  async areSealed(tenantId: string, recordIds: readonly string[]): Promise<boolean> {
    return (await this.#one<{ sealed: boolean }>('areSealed', [tenantId, recordIds])).sealed
  }

  async searchAudit(caller: Caller, wish: AuditWish): Promise<FoundPage> {
    const values = searchValues(caller, wish)
    return toFoundPage(await this.#connections.run<FoundDatabaseRow>('searchAudit', values))
  }

  async auditReach(caller: Caller): Promise<AuditReach> {
    return toReach(await this.#one<ReachRow>('auditReach', callerValues(caller)))
  }

  async countRefusals(writer: string, counts: readonly CountedRefusal[]): Promise<void> {
    await this.#connections.run('countRefusals', [writer, ...countColumns(counts)])
  }

  async unrecordedRefusals(
    writer: string,
    ownBefore: Date,
    othersBefore: Date,
  ): Promise<readonly RefusalTotals[]> {
    const values = [writer, ownBefore, othersBefore, REFUSAL_PAGE]
    const rows = await this.#connections.run<TotalsRow>('unrecordedRefusals', values)
    return rows.map(toTotals)
  }

  async recordRefusals(totals: RefusalTotals, row: AuditRow): Promise<boolean> {
    const { writer, minute, kind, total } = totals
    const values = [writer, minute, kind, total, ...auditValues(row)]
    return (await this.#one<{ recorded: boolean }>('recordRefusals', values)).recorded
  }

  async unrecordedReadings(): Promise<readonly NotedReading[]> {
    const rows = await this.#connections.run<ReadingRow>('unrecordedReadings', [READING_PAGE])
    return rows.map(({ noted_at, open_until, ...rest }) => ({
      ...rest,
      notedAt: noted_at,
      openUntil: open_until,
    }))
  }

  async recordReading(id: string, row: AuditRow): Promise<boolean> {
    const values = [id, ...auditValues(row)]
    return (await this.#one<{ recorded: boolean }>('recordReading', values)).recorded
  }

  async volumeUse(): Promise<VolumeUse> {
    // bigint comes as text.
    const row = await this.#one<{ data_bytes: string; wal_bytes: string; wal_is_listed: boolean }>(
      'auditVolume',
    )
    const [data, wal] = [Number(row.data_bytes), Number(row.wal_bytes)]
    return { data, wal, walIsListed: row.wal_is_listed }
  }

  async ensureUser(user: {
    readonly userId: string
    readonly tenantId: string
    readonly role?: Role
  }): Promise<{ tokenVersion: number }> {
    const row = await this.#one<{ token_version: number | null }>('ensureUser', [
      user.tenantId,
      user.userId,
      user.role ?? 'user',
    ])
    if (row.token_version === null) {
      throw new PalisadeError(
        'ERR_ACCOUNT_LOCKED',
        'this user is locked or belongs to another tenant',
      )
    }
    return { tokenVersion: row.token_version }
  }

  async unfitRole(): Promise<readonly string[]> {
    const rows = await this.#connections.run<Record<string, boolean>>('unfitRole')
    const found = (column: string) => rows.some((row) => row[column])
    return [
      found('rolsuper') && 'the database role is superuser: row-level security would not apply',
      found('rolbypassrls') &&
        'the database role has BYPASSRLS: row-level security would not apply',
      found('rolcreaterole') && 'the database role has CREATEROLE',
      found('rolreplication') && 'the database role has REPLICATION: it can read every table',
      found('owns_tables') && 'the database role may act as the owner of the tables',
    ].filter((problem) => problem !== false)
  }

  async ready(): Promise<{ readonly ok: boolean; readonly reason: string }> {
    try {
      const wanted = (this.#newestMigration ??= (await readMigrations()).at(-1)?.name ?? '')
      const { newest } = await this.#one<{ newest: string | null }>('schemaVersion')
      const ok = newest !== null && newest >= wanted
      return { ok, reason: ok ? `schema ${newest}` : `schema ${newest ?? 'none'}, need ${wanted}` }
    } catch (error) {
      return { ok: false, reason: error instanceof PalisadeError ? error.detail : 'no answer' }
    }
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  async #one<Row extends object>(...call: Parameters<Connections['run']>): Promise<Row> {
    const [row] = await this.#connections.run<Row & Record<string, unknown>>(...call)
    if (!row) throw new Error(`"${call[0]}" answered no row`)
    return row
  }
}
