import { Type, type Static } from 'typebox'

/** On requests that make something: the same key and body give the same effect once. */
export const IdempotencyHeaders = Type.Object(
  {
    'idempotency-key': Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.:/-]{8,128}$',
        description: 'Chosen by the client; within 24 hours the same key never has two effects.',
      }),
    ),
  },
  { $id: 'IdempotencyHeaders' },
)
export type IdempotencyHeaders = Static<typeof IdempotencyHeaders>
