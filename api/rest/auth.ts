import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const

export const LoginRequest = Type.Object(
  {
    email: Type.String({
      minLength: 3,
      maxLength: 254,
      pattern: '^[^\\s@]+@[^\\s@]+$',
      description: 'Address of the account.',
    }),
    password: Type.String({ minLength: 1, maxLength: 1024, description: 'Its password.' }),
  },
  { ...closed, $id: 'LoginRequest', description: 'A local login.' },
)
export type LoginRequest = Static<typeof LoginRequest>

export const ROLES = ['user', 'admin', 'guest', 'auditor'] as const

export const LoginUser = Type.Object(
  {
    id: Type.String({ description: 'Id of the user (uuid).' }),
    email: Type.String({ description: 'Address of the account.' }),
    role: Type.Unsafe<(typeof ROLES)[number]>({
      type: 'string',
      enum: [...ROLES],
      description: 'Role of the user.',
    }),
  },
  { ...closed, $id: 'LoginUser', description: 'Who logged in.' },
)

export const LoggedIn = Type.Object(
  {
    accessToken: Type.String({ description: 'ES256 JWT, valid for 15 minutes.' }),
    tokenType: Type.Literal('Bearer', { description: 'How it is presented.' }),
    expiresIn: Type.Integer({ minimum: 1, description: 'Seconds until it expires.' }),
    user: LoginUser,
  },
  {
    ...closed,
    $id: 'LoggedIn',
    description: 'Logged in; the refresh token is in the cookie __Host-refreshToken.',
  },
)
export type LoggedIn = Static<typeof LoggedIn>

export const SecondFactorRequired = Type.Object(
  {
    requiresTwoFactor: Type.Literal(true, { description: 'A code is needed.' }),
    tempToken: Type.String({ description: 'For the second step; good for one use.' }),
  },
  { ...closed, $id: 'SecondFactorRequired', description: 'The first step of two is done.' },
)

export const SecondFactorRequest = Type.Object(
  {
    tempToken: Type.String({ minLength: 16, maxLength: 2048, description: 'From the first step.' }),
    code: Type.String({ pattern: '^[0-9]{6}$', description: 'Six digits of the authenticator.' }),
  },
  { ...closed, $id: 'SecondFactorRequest', description: 'The second step of a login.' },
)

export const LoginAnswer = Type.Union([LoggedIn, SecondFactorRequired])
export type LoginAnswer = Static<typeof LoginAnswer>

export const JsonWebKeySet = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.String({ description: 'Key type.' }),
          kid: Type.String({ description: 'Id of the key, named in the header of a token.' }),
        },
        { description: 'A public key (RFC 7517).' },
      ),
      { description: 'Public keys.' },
    ),
  },
  { $id: 'JsonWebKeySet', description: 'A JWK set (RFC 7517).' },
)
