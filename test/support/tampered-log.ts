import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { expect } from 'vitest'
import { collect, type LogLine } from '../../core/audit/export.ts'
import type { NoteSigner } from '../../core/audit/note.ts'
import { verifyLog, type Evidence, type Verification } from '../../core/audit/verify.ts'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import { sealBatch } from '../../gateway/sealer/seal-batch.ts'
import { exportLog } from '../../gateway/store/audit-export.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { copyDatabase } from './database-copy.ts'
import { noteSigner } from './note-signer.ts'
import { startPalisadeDatabase, withClient, type PalisadeDatabase } from './postgres.ts'
import { auditRow, MAC_KEY } from './store-wishes.ts'

const LOG = 'palisade.dev/audit/tampering'
export const TENANTS = [randomUUID(), randomUUID()] as const
export const BATCHES = 4
export const PER_BATCH = 6
export const SEALED = BATCHES * PER_BATCH
export const UNSEALED = 4

export type Statement = readonly [string, ...unknown[]]

/** A statement's text that changes one byte and keeps the record well-formed JSON. */
export const EDIT = `update palisade.secret_audit_logs
  set record = convert_to(replace(convert_from(record, 'UTF8'), 'success', 'refused'), 'UTF8') where id = $1`
export const UNDO = EDIT.replace("'success', 'refused'", "'refused', 'success'")

/** Has the seal of a record fit its bytes as they are now. */
export const SEAL_AGAIN = `update palisade.audit_seals s set leaf = sha256('\\x00'::bytea || l.record)
  from palisade.secret_audit_logs l where l.id = s.record_id and l.id = $1`

const GUARDS = [
  ['secret_audit_logs', 'only_grows'],
  ['audit_seals', 'only_grows'],
  ['audit_batches', 'only_grows'],
  ['secret_audit_logs', 'only_what_was_cut'],
] as const

export const inDatabase = (config: pg.ClientConfig, database: string): pg.ClientConfig => ({
  ...config,
  database,
})

/** A database with a sealed log and a few records behind it, and copies of it that somebody was at. */
export class TamperedLog {
  readonly db: PalisadeDatabase
  readonly key = noteSigner(LOG)
  /** In the order of their places. */
  readonly rows: AuditRow[] = []
  readonly checkpoints: string[] = []
  #copies = 0

  private constructor(db: PalisadeDatabase) {
    this.db = db
  }

  static async start(): Promise<TamperedLog> {
    const log = new TamperedLog(await startPalisadeDatabase())
    for (let batch = 0; batch < BATCHES; batch += 1) {
      // What the database looked like before its last batch was written.
      if (batch === BATCHES - 1) await copyDatabase(log.db, 'yesterday')
      log.rows.push(...(await log.write('palisade', PER_BATCH)))
      const sealed = await log.seal('palisade')
      log.checkpoints.push(sealed?.checkpoint ?? '')
    }
    log.rows.push(...(await log.write('palisade', UNSEALED)))
    return log
  }

  stop(): Promise<void> {
    return this.db.stop()
  }

  /** Of the record that was written at this index, from 0. */
  id(index: number): string {
    return this.rows[index]?.id ?? ''
  }

  async copy(from?: string): Promise<string> {
    return (await copyDatabase(this.db, `case_${(this.#copies += 1)}`, from)).database
  }

  async write(database: string, count: number): Promise<AuditRow[]> {
    const store = new PostgresStore({ ...inDatabase(this.db.app, database), max: 1 })
    const written: AuditRow[] = []
    for (let i = 0; i < count; i += 1) {
      const row = auditRow(TENANTS[i % 2] ?? '')
      await store.appendAudit(null, row)
      written.push(row)
    }
    await store.close()
    return written
  }

  seal(database: string, by: NoteSigner = this.key.signer) {
    return withClient(inDatabase(this.db.sealer, database), (client) =>
      sealBatch(client, { log: LOG, signers: [by], limit: 1_000 }),
    )
  }

  /** A copy in which somebody with every right has been at work. */
  async tampered(...statements: Statement[]): Promise<string> {
    const name = await this.copy()
    await this.tamper(name, ...statements)
    return name
  }

  /** Triggers do not stop whoever has every right, only slow them down. */
  async tamper(name: string, ...statements: Statement[]): Promise<void> {
    await withClient(inDatabase(this.db.superuser, name), async (client) => {
      for (const [table, trigger] of GUARDS) {
        await client.query(`alter table palisade.${table} disable trigger ${trigger}`)
      }
      for (const [text, ...values] of statements) {
        const { rowCount } = await client.query(text, values)
        // A statement that hits nothing would make its case pass for no reason.
        expect(rowCount, text).toBeGreaterThan(0)
      }
      for (const [table, trigger] of GUARDS) {
        await client.query(`alter table palisade.${table} enable always trigger ${trigger}`)
      }
    })
  }

  /** With all that is known outside, where nothing else is said. */
  async verify(database: string, overrides: Partial<Evidence> = {}): Promise<Verification> {
    const lines: LogLine[] = []
    await withClient(inDatabase(this.db.auditor, database), async (client) => {
      for await (const line of exportLog(client, new Date())) lines.push(line)
    })
    return verifyLog(collect(lines), {
      verifiers: [this.key.verifier],
      checkpoints: [this.checkpoints.at(-1) ?? ''],
      witness: this.rows.map(({ id, leaf }) => ({ id, leaf: Buffer.from(leaf) })),
      macKeys: new Map([[MAC_KEY.id, MAC_KEY.secret]]),
      ...overrides,
    })
  }
}
