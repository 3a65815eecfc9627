import { Type, type Static } from 'typebox'
import { OPERATOR_EVENT_TYPES, type OperatorEventType } from '../audit-event.ts'

const closed = { additionalProperties: false } as const
const label = (description: string, maxLength: number) =>
  Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength, description })
const optional = (pattern: string, maxLength: number, description: string) =>
  Type.Optional(Type.String({ pattern, maxLength, description }))
const words = (description: string) =>
  optional('^([A-Z][a-z]+){1,6}$', 40, `${description}, in words.`)
const count = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }))
const time = (description: string) =>
  optional('^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$', 30, description)

/**
 * What a step may tell besides: each name with the form of what belongs there. A generated value fits none of them,
 * so that a mistake of the operator's cannot put one into a log that is never changed.
 */
export const IngestDetails = Type.Object(
  {
    reason: words('Why'),
    policy: words('By which policy'),
    step: words('At which step'),
    version: count('Version of the credential.'),
    role: optional('^[a-z_][a-z0-9_-]*$', 63, 'Role of the database.'),
    workload: optional(
      '^[A-Z][A-Za-z]{2,39}/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      294,
      'Consumer, as <kind>/<name>.',
    ),
    from: optional('^[a-z0-9._-]+(/[a-z0-9.-]+){3}$', 300, 'Former owner.'),
    cause: optional('^(ERR_[A-Z0-9_]+|([A-Z][a-z]+){1,6})$', 64, 'What led to it.'),
    backend: optional('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', 253, 'RotationBackend.'),
    roles: optional('^[a-z_][a-z0-9_-]*,[a-z_][a-z0-9_-]*$', 127, 'Pair of roles.'),
    rotation: optional('^[a-z0-9-]+$', 40, 'Id of the rotation.'),
    steps: count('How many steps this entry stands for.'),
    firstSeq: count('Number of the first of them.'),
    lastSeq: count('Number of the last of them.'),
    first: time('When the first of them was.'),
    last: time('When the last of them was.'),
  },
  { ...closed, description: 'Names and numbers that explain the step; never a value.' },
)
export type IngestDetails = Static<typeof IngestDetails>

/** One step as the operator saw it. (resource, rotationId, seq, type) is its key: telling it again changes nothing. */
export const IngestEntry = Type.Object(
  {
    type: Type.Unsafe<OperatorEventType>({
      type: 'string',
      enum: [...OPERATOR_EVENT_TYPES],
      description: 'The step.',
    }),
    outcome: Type.Unsafe<'success' | 'refused' | 'failed' | 'unknown'>({
      type: 'string',
      enum: ['success', 'refused', 'failed', 'unknown'],
      description: 'How it ended.',
    }),
    code: Type.Optional(
      Type.String({
        pattern: '^ERR_[A-Z0-9_]{1,60}$',
        description: 'Why not, by the error catalogue.',
      }),
    ),
    rotationId: Type.String({
      pattern: '^[a-z0-9-]{1,40}$',
      description: 'Id of the rotation or request.',
    }),
    seq: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Number of the step.',
    }),
    at: Type.String({
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$',
      description: "When, by the operator's clock, UTC.",
    }),
    resource: Type.Object(
      {
        kind: Type.Unsafe<'SecretRotation' | 'McpGrant'>({
          type: 'string',
          enum: ['SecretRotation', 'McpGrant'],
          description: 'Kind of the resource.',
        }),
        cluster: label('Id of the cluster.', 63),
        namespace: label('Its namespace.', 63),
        name: label('Its name.', 253),
        uid: Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'Its uid.' }),
      },
      { ...closed, description: 'The resource.' },
    ),
    details: Type.Optional(IngestDetails),
  },
  { ...closed, $id: 'IngestEntry', description: 'One step of a rotation or a grant.' },
)
export type IngestEntry = Static<typeof IngestEntry>

export const IngestRequest = Type.Object(
  {
    entries: Type.Array(IngestEntry, { minItems: 1, maxItems: 100, description: 'Oldest first.' }),
  },
  { ...closed, $id: 'IngestRequest', description: 'Entries of the outbox.' },
)
export type IngestRequest = Static<typeof IngestRequest>

export const IngestAnswer = Type.Object(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Recorded now.' }),
    repeated: Type.Integer({ minimum: 0, description: 'Had been recorded before.' }),
  },
  {
    ...closed,
    $id: 'IngestAnswer',
    description: 'All entries are recorded; drop them from the outbox.',
  },
)
export type IngestAnswer = Static<typeof IngestAnswer>
