import { Type, type Static } from 'typebox'
import { AUDIT_EVENT_TYPES, AuditEvent, AuditSubject, Uuid } from '../audit-event.ts'

const closed = { additionalProperties: false } as const
const words = <const W extends readonly string[]>(list: W, description: string) =>
  Type.Unsafe<W[number]>({ type: 'string', enum: [...list], description })

const moment = (description: string) =>
  Type.String({
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,3})?Z$',
    description,
  })

const word = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_.:/-]{1,300}$', description })

/** What is asked for stands in the body: a target is written into the logs of every proxy, and an address is personal. */
export const AuditQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.Union([Uuid, Type.Literal('all')], {
        description: 'Default: the own one. Another one, or all, takes the scope audit:read-all.',
      }),
    ),
    actor: Type.Optional(word('Id of who acted.')),
    subject: Type.Optional(
      Type.Object(
        { kind: AuditSubject.properties.kind, id: AuditSubject.properties.id },
        { ...closed, description: 'About what.' },
      ),
    ),
    request: Type.Optional(word('Id of the request.')),
    address: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?$',
        description: 'IP address or network (CIDR) that the caller came from.',
      }),
    ),
    eventTypes: Type.Optional(
      Type.Array(words(AUDIT_EVENT_TYPES, 'A type of event.'), {
        minItems: 1,
        maxItems: 20,
        uniqueItems: true,
        description: 'What happened, any of these.',
      }),
    ),
    outcomes: Type.Optional(
      Type.Array(AuditEvent.properties.outcome, {
        minItems: 1,
        maxItems: 4,
        uniqueItems: true,
        description: 'How it ended, any of these.',
      }),
    ),
    from: Type.Optional(moment('Not before, UTC.')),
    to: Type.Optional(moment('Before, UTC.')),
    order: Type.Optional(words(['newest', 'oldest'], 'What comes first. Default: newest.')),
    after: Type.Optional(Uuid),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Records on a page.' }),
    ),
  },
  { ...closed, $id: 'AuditQuery', description: 'Which records of the audit log.' },
)
export type AuditQuery = Static<typeof AuditQuery>

export const AuditPlace = Type.Object(
  {
    epoch: Type.Integer({ minimum: 1, description: 'Epoch of the log.' }),
    seq: Type.Integer({ minimum: 1, description: 'Place in the epoch.' }),
    tenantSeq: Type.Integer({ minimum: 1, description: 'Place among the records of its tenant.' }),
  },
  { ...closed, $id: 'AuditPlace', description: 'Where the record lies in the signed log.' },
)
export type AuditPlace = Static<typeof AuditPlace>

const opened = (description: string) => Type.Optional(Type.String({ description }))

export const OpenedFields = Type.Object(
  {
    key: Type.String({ description: 'Key of the person.' }),
    state: words(
      ['readable', 'erased', 'withheld', 'damaged'],
      'readable: the fields are here; erased: the key of the person is gone, and with it the fields, for ever; withheld: not for this caller; damaged: the ciphertext is not the one that was sealed.',
    ),
    address: opened('IP address.'),
    userAgent: opened('User agent.'),
    email: opened('E-mail address.'),
    name: opened('Name.'),
    reason: opened('Reason, in words of a person.'),
  },
  { ...closed, $id: 'OpenedFields', description: 'Personal fields of one person.' },
)
export type OpenedFields = Static<typeof OpenedFields>

export const FoundRecord = Type.Object(
  {
    id: Uuid,
    tenant: Uuid,
    record: Type.Union([AuditEvent, Type.Null()], {
      description:
        'The record; its RFC 8785 bytes are what is proven. null: what lies there is damaged.',
    }),
    place: Type.Union([AuditPlace, Type.Null()], { description: 'null: not sealed yet.' }),
    personal: Type.Array(OpenedFields, {
      description: 'Its personal fields, as far as they open.',
    }),
  },
  { ...closed, $id: 'FoundRecord', description: 'A record, its place, its personal fields.' },
)
export type FoundRecord = Static<typeof FoundRecord>

export const CutThrough = Type.Object(
  {
    epoch: Type.Integer({ minimum: 1, description: 'Epoch of the log.' }),
    seq: Type.Integer({ minimum: 1, description: 'The last place that was cut.' }),
    sealedAt: Type.String({ description: 'When it was sealed, UTC: what was cut is older.' }),
  },
  {
    ...closed,
    $id: 'CutThrough',
    description:
      'Up to where retention has taken records of the log away: what was asked for may lie in the archive.',
  },
)
export type CutThrough = Static<typeof CutThrough>

export const AuditPage = Type.Object(
  {
    items: Type.Array(FoundRecord, {
      description: 'In the order asked for; may be fewer than asked.',
    }),
    next: Type.Optional(Uuid),
    cutThrough: Type.Optional(CutThrough),
    recordedAs: Uuid,
  },
  {
    ...closed,
    $id: 'AuditPage',
    description:
      'A page; next, where there is one, goes into after, also when no item came. cutThrough: there where the search reaches into what was cut. recordedAs: the record of this search.',
  },
)
export type AuditPage = Static<typeof AuditPage>

export const EXPORT_FORMATS = ['jsonl', 'ocsf', 'cef'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

const { address: _address, limit: _limit, ...exportable } = AuditQuery.properties

/** Personal fields are not opened here, so nothing can be asked about them either. */
export const AuditExportQuery = Type.Object(
  {
    ...exportable,
    format: words(
      EXPORT_FORMATS,
      'jsonl: records as they are stored, with their place; ocsf: events of OCSF 1.6; cef: lines of CEF 0. One record a line.',
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: 1000, description: 'Records at once.' }),
    ),
  },
  { ...closed, $id: 'AuditExportQuery', description: 'Which records to take out, and as what.' },
)
export type AuditExportQuery = Static<typeof AuditExportQuery>
