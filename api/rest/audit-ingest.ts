import { Type, type Static } from 'typebox'
import { AuditDetails, OPERATOR_EVENT_TYPES, type OperatorEventType } from '../audit-event.ts'

const closed = { additionalProperties: false } as const
const label = (description: string) =>
  Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253, description })

/** One step as the operator saw it. (rotationId, seq, type) is the key: delivering it again changes nothing. */
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
      Type.String({ pattern: '^ERR_[A-Z0-9_]+$', description: 'Why not, by the error catalogue.' }),
    ),
    rotationId: Type.String({
      pattern: '^[A-Za-z0-9-]{1,64}$',
      description: 'Id of the rotation or request.',
    }),
    seq: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Number of the step.',
    }),
    at: Type.String({ format: 'date-time', description: "When, by the operator's clock." }),
    resource: Type.Object(
      {
        kind: Type.Unsafe<'SecretRotation' | 'McpGrant'>({
          type: 'string',
          enum: ['SecretRotation', 'McpGrant'],
          description: 'Kind of the resource.',
        }),
        cluster: Type.String({
          pattern: '^[A-Za-z0-9._-]{1,63}$',
          description: 'Id of the cluster.',
        }),
        namespace: label('Its namespace.'),
        name: label('Its name.'),
        uid: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$', description: 'Its uid.' }),
      },
      { ...closed, description: 'The resource.' },
    ),
    details: Type.Optional(AuditDetails),
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
