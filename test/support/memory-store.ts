import type { AuditRow, IntakeStore, ReportedStep } from '../../gateway/ports/audit-records.ts'
import type { Caller } from '../../gateway/ports/callers.ts'
import type { CountedRefusal, RefusalStore, RefusalTotals } from '../../gateway/ports/refusals.ts'
import type {
  ChangeHead,
  ReadOutcome,
  ReadSecret,
  SecretHead,
  StoredVersion,
  WriteOutcome,
  WriteSecret,
} from '../../gateway/ports/secrets.ts'
import type { Store } from '../../gateway/ports/store.ts'

/** What a gateway needs of a store to answer, kept in memory: for tests that look at what it was handed. */
export class MemoryStore implements Store, IntakeStore, RefusalStore {
  /** Every record that was committed. */
  readonly rows: AuditRow[] = []
  /** What was to be counted, each call behind the one before. */
  readonly counts: CountedRefusal[] = []
  /** Thrown by the next call instead of its answer. */
  failure: Error | undefined
  readonly #unrecorded: CountedRefusal[] = []
  readonly #heads = new Map<string, SecretHead>()
  readonly #versions = new Map<string, StoredVersion>()

  async findHead(_caller: Caller, name: string): Promise<SecretHead | null> {
    this.#fail()
    return this.#heads.get(name) ?? null
  }

  async readSecret(_caller: Caller, wish: ReadSecret): Promise<ReadOutcome> {
    this.#fail()
    const head = this.#heads.get(wish.name)
    if (head && head.currentVersion !== wish.expected) return { kind: 'moved', head }
    const version = this.#versions.get(wish.name)
    const isThere = head && version && !head.deleted
    this.rows.push(isThere ? wish.audit.read : wish.audit.absent)
    return isThere ? { kind: 'read', head, version } : { kind: 'absent' }
  }

  async writeSecret(_caller: Caller, wish: WriteSecret): Promise<WriteOutcome> {
    this.#fail()
    const createdAt = new Date(0)
    this.#heads.set(wish.name, wish.head)
    this.#versions.set(wish.name, { ...wish.sealed, createdAt })
    this.rows.push(wish.audit)
    return { kind: 'written', createdAt }
  }

  async changeHead(_caller: Caller, wish: ChangeHead): Promise<WriteOutcome> {
    this.#fail()
    this.#heads.set(wish.name, wish.head)
    this.rows.push(wish.audit)
    return { kind: 'written', createdAt: new Date(0) }
  }

  async listSecrets(_caller: Caller, _page: object, audit: AuditRow): Promise<readonly []> {
    this.#fail()
    this.rows.push(audit)
    return []
  }

  async appendAudit(_caller: Caller | null, row: AuditRow): Promise<void> {
    this.#fail()
    this.rows.push(row)
  }

  async ingestAudit(_reporter: string, steps: readonly ReportedStep[]) {
    this.#fail()
    this.rows.push(...steps.map(({ audit }) => audit))
    return { kind: 'recorded', fresh: steps.map(() => true) } as const
  }

  async countRefusals(_writer: string, counts: readonly CountedRefusal[]): Promise<void> {
    this.counts.push(...counts)
    this.#unrecorded.push(...counts)
  }

  async unrecordedRefusals(writer: string): Promise<readonly RefusalTotals[]> {
    return this.#unrecorded
      .splice(0)
      .map(({ kind, minute, count, first, last, reason, route }) => ({
        ...{ writer, kind, minute, first, last, total: count, kinds: 1, sources: 1 },
        ...{ mostReason: reason, mostRoute: route, mostCount: count },
      }))
  }

  async recordRefusals(_totals: RefusalTotals, row: AuditRow): Promise<boolean> {
    this.rows.push(row)
    return true
  }

  async ensureUser(): Promise<{ tokenVersion: number }> {
    this.#fail()
    return { tokenVersion: 0 }
  }

  async unfitRole(): Promise<readonly []> {
    return []
  }

  async ready() {
    return { ok: true, reason: 'in memory' }
  }

  async close(): Promise<void> {}

  #fail(): void {
    const { failure } = this
    this.failure = undefined
    if (failure) throw failure
  }
}
