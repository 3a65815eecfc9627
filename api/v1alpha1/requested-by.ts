import { Type, type Static } from 'typebox'

/**
 * Value of palisade.dev/requested-by: who made or last changed a grant, from the API server's own userInfo. It is
 * stamped at admission on creation and on every change of spec, and nobody else may write it.
 */
export const RequestedBy = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 512, description: 'User name.' }),
    uid: Type.Optional(
      Type.String({ maxLength: 128, description: 'Its uid, where there is one.' }),
    ),
    groups: Type.Array(Type.String({ maxLength: 512 }), {
      maxItems: 128,
      description: 'Groups at that time.',
    }),
  },
  { additionalProperties: false, $id: 'RequestedBy', description: 'Who asked.' },
)
export type RequestedBy = Static<typeof RequestedBy>
