import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const

export const SecretName = Type.String({
  pattern: '^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$',
  description: 'Name of the secret, unique within the tenant.',
})

export const SecretPath = Type.Object({ name: SecretName }, { ...closed, $id: 'SecretPath' })
export type SecretPath = Static<typeof SecretPath>

export const ReadQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'Default: the current one.',
      }),
    ),
  },
  { ...closed, $id: 'ReadQuery' },
)

export const ListQuery = Type.Object(
  {
    after: Type.Optional(SecretName),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Entries on a page.' }),
    ),
  },
  { ...closed, $id: 'ListQuery' },
)

export const StoreSecret = Type.Object(
  {
    value: Type.String({ minLength: 1, maxLength: 65_536, description: 'The secret itself.' }),
    cas: Type.Optional(
      Type.Integer({
        minimum: 0,
        // The version after it has to fit as well.
        maximum: 2_147_483_646,
        description: 'Version that must be the current one; 0: there must be none yet.',
      }),
    ),
  },
  { ...closed, $id: 'StoreSecret', description: 'A new version of a secret.' },
)
export type StoreSecret = Static<typeof StoreSecret>

const time = (description: string) => Type.String({ format: 'date-time', description })
const id = Type.String({ description: 'Id of the secret (uuid).' })
const version = Type.Integer({ minimum: 1, description: 'Number of the version.' })

/** Never carries the value: the caller has just sent it. */
export const StoredSecret = Type.Object(
  { id, name: SecretName, version, createdAt: time('When the version was stored.') },
  { ...closed, $id: 'StoredSecret', description: 'The version is stored.' },
)
export type StoredSecret = Static<typeof StoredSecret>

export const SecretVersion = Type.Object(
  {
    id,
    name: SecretName,
    version,
    value: Type.String({ description: 'The secret itself.' }),
    createdAt: time('When the version was stored.'),
  },
  { ...closed, $id: 'SecretVersion', description: 'One version with its value.' },
)
export type SecretVersion = Static<typeof SecretVersion>

export const SecretEntry = Type.Object(
  {
    id,
    name: SecretName,
    version,
    deleted: Type.Boolean({ description: 'Deleted; it can be restored.' }),
    createdAt: time('When the secret was made.'),
    updatedAt: time('When it changed last.'),
  },
  { ...closed, $id: 'SecretEntry', description: 'A secret without its value.' },
)
export type SecretEntry = Static<typeof SecretEntry>

export const SecretList = Type.Object(
  {
    items: Type.Array(SecretEntry, { description: 'In order of name.' }),
    next: Type.Optional(SecretName),
  },
  { ...closed, $id: 'SecretList', description: 'A page; next goes into after.' },
)
export type SecretList = Static<typeof SecretList>
