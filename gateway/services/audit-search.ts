import type { AuditEvent, GatewayEventType } from '#api/audit-event'
import type { AuditPage, AuditQuery, FoundRecord } from '#api/rest/audit'
import { PalisadeError } from '#core/problem'
import { hasScope } from '../identity/scopes.ts'
import type { AuditReadStore, AuditRow, AuditWish, Caller, FoundRow, Store } from '../ports.ts'
import { addressMatcher, idRangeOf, shapeOf } from './audit-filter.ts'
import type { AuditWriter, Origin } from './audit.ts'
import type { PersonalReader } from './personal-reader.ts'

export interface AuditSearchDeps {
  readonly store: AuditReadStore & Pick<Store, 'appendAudit'>
  readonly audit: AuditWriter
  readonly personal: PersonalReader
  /** Called after the commit of each record. */
  readonly committed: (row: AuditRow) => void
}

const PAGE = 50
/** Records that one question may look at; the answer says where the next one goes on. */
const SCAN = 5_000
/** Of these the personal fields are opened to look for an address, which lies in the log as ciphertext alone. */
const SCAN_OPENED = 1_000
/** Questions at the same time in this process: requests of others must find a connection. */
const AT_ONCE = 4

interface Found {
  readonly items: FoundRecord[]
  readonly next: string | undefined
}

/** Reads the log for whoever may, and records that it was read before anything of it leaves. */
export class AuditSearch {
  readonly #deps: AuditSearchDeps
  #running = 0

  constructor(deps: AuditSearchDeps) {
    this.#deps = deps
  }

  async search(
    caller: Caller,
    origin: Origin,
    query: AuditQuery,
    eventType: Extract<GatewayEventType, 'audit.search' | 'audit.export'> = 'audit.search',
  ): Promise<AuditPage> {
    const isForeign = query.tenant !== undefined && query.tenant !== caller.tenantId
    if (isForeign && !hasScope(caller.roles, 'audit:read-all')) {
      throw new PalisadeError('ERR_FORBIDDEN', 'this takes the scope audit:read-all')
    }
    const { items, next } = await this.#oneOfFew(() => this.#find(caller, query))
    const { audit, store, committed } = this.#deps
    const row = await audit.ofCaller(caller, origin, {
      eventType,
      outcome: 'success',
      subject: { kind: 'log', id: query.tenant ?? caller.tenantId },
      details: { filter: shapeOf(query), records: items.length },
    })
    await store.appendAudit(caller, row)
    committed(row)
    return { items, ...(next === undefined ? {} : { next }), recordedAs: row.id }
  }

  async #oneOfFew<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) {
      throw new PalisadeError('ERR_UNAVAILABLE', 'other searches of the audit log are running')
    }
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
    }
  }

  async #find(caller: Caller, query: AuditQuery): Promise<Found> {
    const limit = query.limit ?? PAGE
    const matches = query.address === undefined ? undefined : addressMatcher(query.address)
    const page = matches ? SCAN_OPENED : limit
    const { rows, end } = await this.#deps.store.searchAudit(caller, wishOf(query, page))
    const found = await this.#open(caller, rows)
    // A full page may have more behind it; one that is not full goes on where the looking ended.
    const next = rows.length === page ? rows.at(-1)?.id : end
    if (!matches) return { items: found, next }
    const items = found
      .filter(({ personal }) => personal.some(({ address }) => address && matches(address)))
      .slice(0, limit)
    return { items, next: items.length === limit ? items.at(-1)?.id : next }
  }

  /** An auditor sees all that opens; everybody else what is sealed with a key of their own. */
  async #open(caller: Caller, rows: readonly FoundRow[]): Promise<FoundRecord[]> {
    const isAuditor = hasScope(caller.roles, 'audit:read-all')
    const own = `user-${caller.userId}`
    const read = rows.map((row) => ({ ...row, record: recordOf(row.bytes) }))
    const opened = await this.#deps.personal.open(
      read.map(({ id, record }) => ({ id, personal: record?.personal ?? [] })),
      (key) => isAuditor || key === own,
    )
    return read.map(({ id, tenantId, record, place }, i) => ({
      id,
      tenant: tenantId,
      record,
      place,
      personal: opened[i] ?? [],
    }))
  }
}

function wishOf(query: AuditQuery, page: number): AuditWish {
  const { tenant = null, actor = null, subject, request = null } = query
  const { eventTypes = null, outcomes = null } = query
  const everywhere = tenant === 'all'
  return {
    everywhere,
    tenant: everywhere ? null : tenant,
    actor,
    subject: subject ? `${subject.kind}:${subject.id}` : null,
    request,
    eventTypes,
    outcomes,
    ...idRangeOf(query),
    oldestFirst: query.order === 'oldest',
    page,
    scan: SCAN,
  }
}

/** What cannot be read is shown as such: it is what somebody who searches after an attack looks for. */
function recordOf(bytes: Uint8Array): AuditEvent | null {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditEvent | null
    return typeof record === 'object' && record !== null ? record : null
  } catch {
    return null
  }
}
