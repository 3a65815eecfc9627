import { Type, type Static } from 'typebox'
import { AUDIT_EVENT_TYPES } from './audit-event-types.ts'

export * from './audit-event-types.ts'

/** Version of the record below. A change of meaning is a new version; old records stay as they are. */
export const AUDIT_FORMAT = 1

/** The tenant of records that concern no tenant, such as a refusal before anyone is known. */
export const PLATFORM_TENANT = '00000000-0000-0000-0000-000000000001'

const words = <const W extends readonly string[]>(list: W, description: string) =>
  Type.Unsafe<W[number]>({ type: 'string', enum: [...list], description })

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const closed = { additionalProperties: false } as const

export const Uuid = Type.String({ pattern: `^${UUID}$`, description: 'A UUID in lower case.' })

// An id is a word without spaces, so that no name, address or sentence of a person fits in.
const id = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_.:/-]{1,300}$', description })

export const AuditActor = Type.Object(
  {
    kind: words(
      ['user', 'serviceAccount', 'operator', 'sealer', 'administrator', 'anonymous'],
      'What kind of caller.',
    ),
    id: id(
      'Id of the caller, never a name: users by uuid, workloads by <cluster>/<namespace>/<name>.',
    ),
    session: Type.Optional(id('Session or token id (jti).')),
  },
  { ...closed, description: 'Who.' },
)
export type AuditActor = Static<typeof AuditActor>

export const AuditSubject = Type.Object(
  {
    kind: words(
      [
        'secret',
        'apiKey',
        'user',
        'tenant',
        'session',
        'route',
        'rotation',
        'grant',
        'mcpTool',
        'key',
        'log',
      ],
      'What kind of thing.',
    ),
    id: Type.String({
      // Long enough for <cluster>/<namespace>/<name>/<uid> of a resource.
      pattern: '^[A-Za-z0-9_.:/-]{1,500}$',
      description: 'Its id, never its content.',
    }),
    version: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Its version, where it has one.' }),
    ),
  },
  { ...closed, description: 'About what.' },
)
export type AuditSubject = Static<typeof AuditSubject>

export const AuditRequest = Type.Object(
  {
    id: id('Id of the request, the same in answer, log and record.'),
    method: Type.Optional(Type.String({ pattern: '^[A-Z]{3,16}$', description: 'HTTP method.' })),
    route: Type.Optional(
      Type.String({
        pattern: '^/[A-Za-z0-9_.:/*{}-]{0,199}$',
        description: 'Pattern of the route, never the path itself.',
      }),
    ),
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'HTTP status.' }),
    ),
  },
  { ...closed, description: 'By which request.' },
)
export type AuditRequest = Static<typeof AuditRequest>

/**
 * Personal fields of one person, encrypted together: the key of that person can be destroyed, and hashes and
 * signatures over the ciphertext still hold afterwards.
 */
export const PersonalEnvelope = Type.Object(
  {
    key: Type.String({
      pattern: `^(user|tenant)-${UUID}$`,
      description: 'Transit key of the person, or of the tenant where nobody is known.',
    }),
    fields: Type.Array(
      words(['address', 'userAgent', 'email', 'name', 'reason'], 'A personal field.'),
      { minItems: 1, maxItems: 5, uniqueItems: true, description: 'What is inside.' },
    ),
    algorithm: words(
      ['A256GCM'],
      'RFC 7518 name. Additional data: canonical JSON of {format, id, key}.',
    ),
    wrappedKey: Type.String({
      minLength: 16,
      maxLength: 1024,
      pattern: '^[A-Za-z0-9:+/=_-]+$',
      description: 'Data key, wrapped by the transit key.',
    }),
    nonce: Type.String({
      pattern: '^[A-Za-z0-9_-]{16}$',
      description: '96 random bits, base64url.',
    }),
    ciphertext: Type.String({
      pattern: '^[A-Za-z0-9_-]{22,8192}$',
      description: 'Canonical JSON of the fields, encrypted, with its tag; base64url.',
    }),
  },
  { ...closed, description: 'Personal fields as ciphertext.' },
)
export type PersonalEnvelope = Static<typeof PersonalEnvelope>

const DETAIL_NAME = '^[a-z][A-Za-z0-9]{0,39}$'

/** Names, numbers and codes that explain the event. Free text of people is personal and goes into an envelope. */
export const AuditDetails = Type.Unsafe<Readonly<Record<string, string | number>>>({
  type: 'object',
  description: 'Names, numbers and codes that explain the event; never a value, never free text.',
  maxProperties: 24,
  propertyNames: { pattern: DETAIL_NAME },
  additionalProperties: {
    anyOf: [
      { type: 'string', maxLength: 300, pattern: '^[A-Za-z0-9_.,:;/@+=*{}()-]*$' },
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    ],
  },
})
export type AuditDetails = Static<typeof AuditDetails>

/**
 * One record. Its RFC 8785 bytes are what is stored, authenticated and hashed. It holds no sequence number: the
 * sealer gives it its place (epoch, seq), so the id is the same before and after.
 */
export const AuditEvent = Type.Object(
  {
    format: Type.Literal(AUDIT_FORMAT, { description: 'Version of this record.' }),
    id: Uuid,
    time: Type.String({
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
      description: "When, by the writer's clock, UTC.",
    }),
    tenant: Uuid,
    eventType: words(AUDIT_EVENT_TYPES, 'What happened.'),
    outcome: words(
      ['success', 'refused', 'failed', 'unknown'],
      'How it ended. refused: a rule said no; failed: something broke; unknown: no result came back.',
    ),
    code: Type.Optional(
      Type.String({ pattern: '^ERR_[A-Z0-9_]+$', description: 'Why not, by the error catalogue.' }),
    ),
    actor: AuditActor,
    subject: AuditSubject,
    request: AuditRequest,
    writer: id('Process that wrote the record.'),
    macKey: id('Id of the key of its MAC.'),
    details: Type.Optional(AuditDetails),
    personal: Type.Optional(
      Type.Array(PersonalEnvelope, { minItems: 1, maxItems: 4, description: 'Personal fields.' }),
    ),
  },
  { ...closed, $id: 'AuditEvent', description: 'An audit record, version 1.' },
)
export type AuditEvent = Static<typeof AuditEvent>
