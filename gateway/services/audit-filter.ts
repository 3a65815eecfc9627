import { BlockList, isIP } from 'node:net'
import type { AuditQuery, CutThrough } from '#api/rest/audit'
import { PalisadeError } from '#core/problem'

/** Bounds of ids of version 7 (RFC 9562 5.7); both are excluded, and no id of that millisecond lies below its own. */
export interface IdRange {
  readonly after: string
  readonly before: string
}

const FIRST = '00000000-0000-0000-0000-000000000000'
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** @throws PalisadeError for a day that no calendar has */
export function idRangeOf({ from, to, after, order }: AuditQuery): IdRange {
  const low = from === undefined ? FIRST : idAt(from, 'from')
  const high = to === undefined ? LAST : idAt(to, 'to')
  if (after === undefined) return { after: low, before: high }
  return order === 'oldest'
    ? { after: after > low ? after : low, before: high }
    : { after: low, before: after < high ? after : high }
}

function idAt(text: string, name: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms) || ms < 0) throw invalid(name, 'is no moment of the calendar')
  return lowestIdOf(ms)
}

/** The range without what was made at the moment or later. */
export function endedAt<R extends IdRange>(range: R, moment: Date): R {
  const end = lowestIdOf(moment.getTime())
  return end < range.before ? { ...range, before: end } : range
}

/** A gateway's clock may be ahead of the database's. */
const SKEW_MS = 60_000

/** Whether something of the range may have been cut: every record that was is older than the seal of the last one. */
export const reachesInto = ({ after }: IdRange, cut: CutThrough | undefined): boolean =>
  cut !== undefined && after < lowestIdOf(Date.parse(cut.sealedAt) + SKEW_MS)

/** No id of that millisecond, or of a later one, lies below. @param ms since 1970 */
function lowestIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** Whether an address is the one, or lies in the network, that is looked for. */
export function addressMatcher(wanted: string): (address: string) => boolean {
  const [base = '', prefix] = wanted.split('/')
  const kind = familyOf(base)
  const length = prefix === undefined ? (kind === 'ipv4' ? 32 : 128) : Number(prefix)
  if (!kind || length > (kind === 'ipv4' ? 32 : 128)) {
    throw invalid('address', 'is no IP address and no network')
  }
  const list = new BlockList()
  list.addSubnet(base, length, kind)
  return (address) => {
    const family = familyOf(address)
    return family !== undefined && list.check(address, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6'
}

const FILTERS = [
  'tenant',
  'actor',
  'subject',
  'request',
  'address',
  'eventTypes',
  'outcomes',
  'from',
  'to',
] as const

/** Names of what was filtered by: the shape goes into the record of the search, what was looked for does not. */
export const shapeOf = (query: AuditQuery): string =>
  FILTERS.filter((name) => query[name] !== undefined).join(',') || 'none'

const invalid = (name: string, why: string) =>
  new PalisadeError('ERR_VALIDATION', `body.${name} ${why}`)
