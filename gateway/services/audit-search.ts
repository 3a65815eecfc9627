import { Value } from 'typebox/value'
import { PersonalEnvelope, type AuditDetails, type AuditEvent } from '#api/audit-event'
import type {
  AuditExportQuery,
  AuditPage,
  AuditQuery,
  CutThrough,
  FoundRecord,
} from '#api/rest/audit'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { hasScope } from '../identity/scopes.ts'
import { readRecord } from '#core/siem/line'
import type { AuditRow } from '../ports/audit-records.ts'
import type { AuditReach, AuditReadStore, AuditWish, FoundRow } from '../ports/audit-search.ts'
import type { Caller } from '../ports/callers.ts'
import type { Store } from '../ports/store.ts'
import { addressMatcher, endedAt, idRangeOf, reachesInto, shapeOf } from './audit-filter.ts'
import type { AuditWriter, Origin } from './audit.ts'
import type { PersonalReader } from './personal-reader.ts'

export interface AuditSearchDeps {
  readonly store: AuditReadStore & Pick<Store, 'appendAudit'>
  readonly audit: AuditWriter
  readonly clock: Clock
  readonly personal: PersonalReader
  /** Called after the commit of each record. */
  readonly committed: (row: AuditRow) => void
}

const PAGE = 50
const EXPORT_PAGE = 1_000
/**
 * An id is made before the record is committed, so until then one may still appear before what was taken out. A
 * statement is given up after 12 s; the rest is for clocks of gateways that differ.
 */
const SETTLED_MS = 60_000
/** Records that one question may look at; the answer says where the next one goes on. */
const SCAN = 5_000
/** Of these the personal fields are opened to look for an address, which lies in the log as ciphertext alone. */
const SCAN_OPENED = 1_000
/** Questions at the same time in this process: requests of others must find a connection. */
const AT_ONCE = 4

interface Found {
  readonly items: FoundRecord[]
  readonly next: string | undefined
  readonly cutThrough: CutThrough | undefined
}

export interface TakenOut {
  readonly records: readonly (FoundRow & { readonly record: AuditEvent | null })[]
  readonly next: string | undefined
  /** Nothing of this moment or later is among the records, and nothing before it is still to come. */
  readonly completeUntil: Date
  /** The record of this export. */
  readonly recordedAs: AuditRow
}

/** Reads the log for whoever may, and records that it was read before anything of it leaves. */
export class AuditSearch {
  readonly #deps: AuditSearchDeps
  #running = 0

  constructor(deps: AuditSearchDeps) {
    this.#deps = deps
  }

  async search(caller: Caller, origin: Origin, query: AuditQuery): Promise<AuditPage> {
    refuseForeign(caller, query)
    const { items, next, cutThrough } = await this.#oneOfFew(() => this.#find(caller, query))
    const details = { filter: shapeOf(query), records: items.length }
    const row = await this.#record(caller, origin, 'audit.search', query, details)
    return {
      items,
      ...(next === undefined ? {} : { next }),
      ...(cutThrough && { cutThrough }),
      recordedAs: row.id,
    }
  }

  /** Records as they lie there: no personal field is opened. */
  async takeOut(caller: Caller, origin: Origin, query: AuditExportQuery): Promise<TakenOut> {
    refuseForeign(caller, query)
    const { format, limit = EXPORT_PAGE, ...filter } = query
    const completeUntil = this.#settled(filter)
    const wish = endedAt(wishOf(filter, limit), completeUntil)
    const { rows, end } = await this.#oneOfFew(() => this.#deps.store.searchAudit(caller, wish))
    const details = { filter: shapeOf(filter), records: rows.length, format }
    const recordedAs = await this.#record(caller, origin, 'audit.export', query, details)
    const records = rows.map((row) => ({ ...row, record: readRecord(row.bytes) }))
    const next = rows.length === limit ? rows.at(-1)?.id : end
    return { records, next, completeUntil, recordedAs }
  }

  #settled({ to }: Pick<AuditQuery, 'to'>): Date {
    const settled = this.#deps.clock.now().getTime() - SETTLED_MS
    const asked = to === undefined ? Number.NaN : Date.parse(to)
    return new Date(asked < settled ? asked : settled)
  }

  /** Committed before anything of what was read leaves. */
  async #record(
    caller: Caller,
    origin: Origin,
    eventType: 'audit.search' | 'audit.export',
    { tenant }: Pick<AuditQuery, 'tenant'>,
    details: AuditDetails,
  ): Promise<AuditRow> {
    const { audit, store, committed } = this.#deps
    const subject = { kind: 'log', id: tenant ?? caller.tenantId } as const
    const outcome = 'success'
    const row = await audit.ofCaller(caller, origin, { eventType, outcome, subject, details })
    await store.appendAudit(caller, row)
    committed(row)
    return row
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
    const wish = wishOf(query, page)
    const { rows, end } = await this.#deps.store.searchAudit(caller, wish)
    // Asked behind the search: who was an auditor when it began may be none any more, and what was there may be cut.
    const reach = await this.#deps.store.auditReach(caller)
    const found = await this.#open(caller, rows, reach)
    const cutThrough = reachesInto(wish, reach.cutThrough) ? reach.cutThrough : undefined
    // A full page may have more behind it; one that is not full goes on where the looking ended.
    const next = rows.length === page ? rows.at(-1)?.id : end
    if (!matches) return { items: found, next, cutThrough }
    const items = found
      .filter(({ personal }) => personal.some(({ address }) => address && matches(address)))
      .slice(0, limit)
    return { items, next: items.length === limit ? items.at(-1)?.id : next, cutThrough }
  }

  /** An auditor sees all that opens; everybody else what is sealed with a key of their own. */
  async #open(
    caller: Caller,
    rows: readonly FoundRow[],
    { isAuditor }: AuditReach,
  ): Promise<FoundRecord[]> {
    const own = `user-${caller.userId}`
    const seesAll = isAuditor && hasScope(caller.roles, 'audit:read-all')
    const read = rows.map((row) => ({ ...row, record: readRecord(row.bytes) }))
    const opened = await this.#deps.personal.open(
      read.map(({ id, record }) => ({ id, personal: envelopesOf(record) })),
      (key) => seesAll || key === own,
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

/** Only what has the form of one: the name of a key becomes part of a path in the secret store. */
function envelopesOf(record: AuditEvent | null): readonly PersonalEnvelope[] {
  const given: unknown = record?.personal
  return Array.isArray(given) ? given.filter((one) => Value.Check(PersonalEnvelope, one)) : []
}

function refuseForeign(caller: Caller, { tenant }: Pick<AuditQuery, 'tenant'>): void {
  if (tenant === undefined || tenant === caller.tenantId) return
  if (hasScope(caller.roles, 'audit:read-all')) return
  throw new PalisadeError('ERR_FORBIDDEN', 'this takes the scope audit:read-all')
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
