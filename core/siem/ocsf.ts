import type { AuditActor, AuditEvent } from '#api/audit-event'
import type { AuditPlace } from '#api/rest/audit'
import { CLASSES, OCSF_KINDS, OCSF_VERSION, type OcsfKind } from './ocsf-classes.ts'
import { severityOf, type Severity } from './severity.ts'

const SEVERITY: Readonly<Record<Severity, number>> = {
  informational: 1,
  low: 2,
  medium: 3,
  high: 4,
}
const STATUS: Readonly<Record<AuditEvent['outcome'], number>> = {
  unknown: 0,
  success: 1,
  refused: 2,
  failed: 2,
}
/** User, Admin, System, Service. */
const USER_TYPE: Readonly<Record<AuditActor['kind'], number>> = {
  user: 1,
  administrator: 2,
  sealer: 3,
  operator: 4,
  serviceAccount: 4,
  anonymous: 0,
}

type Json = Readonly<Record<string, unknown>>

/**
 * A record as an event of OCSF 1.6. Personal fields are not in it, not even as ciphertext: the id of the key under which
 * they lie is, as `unmapped.personal` and as the endpoint that the caller came from.
 *
 * @param place null while the record is not sealed
 */
export function toOcsf(record: AuditEvent, place: AuditPlace | null): Json {
  // A newer program may have written what this one has no line for.
  const isKnown = Object.hasOwn(OCSF_KINDS, record.eventType)
  const kind: OcsfKind = isKnown ? OCSF_KINDS[record.eventType] : ['apiActivity', 'other']
  const { uid, category, activities } = CLASSES[kind[0]]
  const activity = (activities as Readonly<Record<string, number>>)[kind[1]] ?? 0
  const { code, request, subject, actor } = record
  return {
    activity_id: activity,
    activity_name: record.eventType,
    category_uid: category,
    class_uid: uid,
    type_uid: uid * 100 + activity,
    severity_id: SEVERITY[severityOf(record)],
    time: Date.parse(record.time),
    status_id: STATUS[record.outcome],
    status: record.outcome,
    ...(code === undefined ? {} : { status_code: code }),
    message: `${record.eventType} ${record.outcome}: ${subject.kind} ${subject.id}`,
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Palisade', vendor_name: 'Palisade' },
      uid: record.id,
      event_code: record.eventType,
      correlation_uid: request.id,
      tenant_uid: record.tenant,
      log_name: 'audit',
      original_time: record.time,
      ...(place ? { sequence: place.seq } : {}),
    },
    actor: actorOf(actor),
    ...bodyOf(kind[0], record),
    unmapped: unmapped(record, place),
  }
}

/** 99: another kind, which a newer program knows. */
const userOf = ({ id, kind }: AuditActor): Json => ({
  uid: id,
  type_id: Object.hasOwn(USER_TYPE, kind) ? USER_TYPE[kind] : 99,
})

const actorOf = (actor: AuditActor): Json => ({
  user: userOf(actor),
  ...(actor.session === undefined ? {} : { session: { uid: actor.session } }),
})

/** The members that a class requires beside those of every event. */
function bodyOf(name: keyof typeof CLASSES, record: AuditEvent): Json {
  const { subject, actor, request } = record
  const src_endpoint = { uid: record.personal?.[0]?.key ?? actor.id }
  const ofSubject = subject.kind === 'user' ? { uid: subject.id, type_id: 1 } : userOf(actor)
  switch (name) {
    case 'accountChange':
      return { user: ofSubject, src_endpoint }
    case 'authentication':
      return { user: ofSubject, src_endpoint, service: { name: 'Palisade' } }
    case 'authorizeSession':
      return { user: ofSubject, src_endpoint, privileges: [`${subject.kind}/${subject.id}`] }
    case 'entityManagement':
      return { entity: { uid: subject.id, name: subject.id, type: subject.kind }, src_endpoint }
    case 'apiActivity':
      return {
        src_endpoint,
        api: {
          operation: [request.method, request.route].filter(Boolean).join(' ') || record.eventType,
          request: { uid: request.id },
          service: { name: 'Palisade' },
        },
        resources: [{ uid: subject.id, type: subject.kind }],
      }
  }
}

const unmapped = (record: AuditEvent, place: AuditPlace | null): Json => ({
  writer: record.writer,
  mac_key: record.macKey,
  subject: record.subject,
  ...(record.details ? { details: record.details } : {}),
  ...(record.personal
    ? { personal: record.personal.map(({ key, fields }) => ({ key, fields })) }
    : {}),
  ...(place ? { place } : {}),
})
