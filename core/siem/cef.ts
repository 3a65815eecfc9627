import type { AuditEvent } from '#api/audit-event'
import type { AuditPlace } from '#api/rest/audit'
import { severityOf, type Severity } from './severity.ts'

/** 0 to 10. */
const SEVERITY: Readonly<Record<Severity, number>> = {
  informational: 2,
  low: 4,
  medium: 6,
  high: 9,
}

// C0 and C1 with DEL, and the two separators that some readers take for the end of a line.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Header: no line breaks at all. */
const header = (text: string) => text.replace(/[\\|]/g, '\\$&').replace(CONTROLS, ' ')

/** Extension: line breaks as \n and \r, every other control character (a terminal obeys it) as a space. */
const extension = (text: string) =>
  text
    .replace(/[\\=]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(CONTROLS, ' ')

/**
 * A record as one line of ArcSight's Common Event Format, version 0. Personal fields are not in it; `cs5` names the key
 * under which they lie.
 *
 * @param place null while the record is not sealed
 */
export function toCef(record: AuditEvent, place: AuditPlace | null): string {
  const { actor, subject, request, outcome, code, details } = record
  const key = record.personal?.[0]?.key
  const head = ['Palisade', 'Palisade', String(record.format), record.eventType]
  const name = `${record.eventType} ${outcome}`
  const values: readonly (readonly [string, string | number | undefined])[] = [
    ['rt', Date.parse(record.time)],
    ['externalId', record.id],
    ['act', record.eventType],
    ['outcome', outcome],
    ['reason', code],
    ['suid', actor.id],
    ['spriv', actor.kind],
    ['requestMethod', request.method],
    ['request', request.route],
    ['dvchost', record.writer],
    ...labelled('cs1', 'tenant', record.tenant),
    ...labelled('cs2', 'subject', `${subject.kind}/${subject.id}`),
    ...labelled('cs3', 'requestId', request.id),
    ...labelled('cs4', 'session', actor.session),
    ...labelled('cs5', 'personalKey', key),
    ...labelled('cs6', 'details', details && JSON.stringify(details)),
    ...labelled('cn1', 'epoch', place?.epoch),
    ...labelled('cn2', 'seq', place?.seq),
  ]
  const fields = values
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field}=${extension(String(value))}`)
  const start = [...head, name].map(header).join('|')
  return `CEF:0|${start}|${SEVERITY[severityOf(record)]}|${fields.join(' ')}`
}

const labelled = (
  field: string,
  label: string,
  value: string | number | undefined,
): readonly (readonly [string, string | number])[] =>
  value === undefined
    ? []
    : [
        [field, value],
        [`${field}Label`, label],
      ]
