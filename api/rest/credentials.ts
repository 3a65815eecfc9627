import { Type, type Static } from 'typebox'

/**
 * Answer of /.well-known/palisade/credentials of a workload that reloads by itself: which version its process uses.
 * It never names a value.
 */
export const CredentialsInUse = Type.Object(
  {
    credentials: Type.Array(
      Type.Object(
        {
          name: Type.String({ maxLength: 63, description: 'Name of the Secret.' }),
          version: Type.Integer({ minimum: 1, description: 'Version in use.' }),
          since: Type.String({ format: 'date-time', description: 'Since when.' }),
        },
        { additionalProperties: false, description: 'One credential.' },
      ),
      { maxItems: 100, description: 'Credentials of the process.' },
    ),
  },
  { additionalProperties: false, $id: 'CredentialsInUse', description: 'What a process uses.' },
)
export type CredentialsInUse = Static<typeof CredentialsInUse>
