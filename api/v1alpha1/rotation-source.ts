import { Type, type Static } from 'typebox'
import { duration, exactlyOne, fields, list, nameRef, rules, words } from './schema.ts'

const connectionRef = nameRef('The RotationBackend (cluster-scoped) that holds this credential.')

// Quoted identifiers could carry anything; a credential that travels through many systems keeps to these.
const databaseName = (description: string) =>
  Type.String({ description, pattern: '^[a-z_][a-z0-9_-]*$', minLength: 1, maxLength: 63 })

const PostgresRole = fields(
  {
    connectionRef,
    roles: list(databaseName('A login role.'), {
      minItems: 1,
      maxItems: 2,
      description:
        'The login roles. Two alternate, so that one stays valid while consumers move to the other; with one there is a gap at each rotation.',
      ...rules({
        rule: 'self.all(r, self.exists_one(s, s == r))',
        message: 'roles: name two different roles',
      }),
    }),
    memberOf: Type.Optional(
      databaseName('The group role that owns the objects; both login roles act as it.'),
    ),
    database: Type.Optional(
      databaseName("The database that consumers use. Default: the backend's."),
    ),
  },
  {
    description: 'Login roles of a PostgreSQL server.',
    ...rules({
      rule: 'self.roles.size() == 1 || has(self.memberOf)',
      message:
        'postgresRole.memberOf: two alternating roles need the group that owns their objects',
      fieldPath: '.memberOf',
    }),
  },
)

const RedisUser = fields(
  {
    connectionRef,
    user: Type.String({
      description: 'The ACL user; it carries two passwords while consumers move.',
      pattern: '^[A-Za-z0-9_:.-]+$',
      minLength: 1,
      maxLength: 128,
    }),
  },
  { description: 'An ACL user of Redis or Valkey, the same on every node.' },
)

const Generated = fields(
  {
    bytes: Type.Integer({
      description: 'Random bytes in the value.',
      minimum: 16,
      maximum: 128,
      default: 32,
      format: 'int32',
    }),
    encoding: words(['Base64Url', 'Hex'], {
      description: 'How the bytes are written.',
      default: 'Base64Url',
    }),
    verifyFor: duration('How long verifiers accept the value after the next one became active.', {
      default: '24h',
    }),
  },
  { description: 'A symmetric key of our own, announced before it is used.' },
)

const KeyPair = fields(
  {
    algorithm: words(['ES256', 'EdDSA', 'RS256'], {
      description: 'Signature algorithm (RFC 7518, RFC 8037).',
      default: 'ES256',
    }),
    verifierCacheTime: duration(
      'How long verifiers may keep an old key set; the next key waits as long.',
      {
        default: '10m',
      },
    ),
    maxTokenLifetime: duration(
      'Longest life of a token signed with the key; it verifies as long.',
      {
        default: '15m',
      },
    ),
  },
  { description: 'A signing key pair, announced before it signs.' },
)

const VaultStaticRole = fields(
  {
    connectionRef,
    mount: Type.String({
      description: 'Mount of the database secrets engine.',
      pattern: '^[a-z0-9][a-z0-9_-]*$',
      maxLength: 63,
      default: 'database',
    }),
    role: Type.String({
      description: 'The static role.',
      pattern: '^[A-Za-z0-9_.-]+$',
      minLength: 1,
      maxLength: 128,
    }),
  },
  { description: 'A static role of a Vault database engine; there is a gap at each rotation.' },
)

const GatewayApiKey = fields(
  {
    connectionRef,
    name: Type.String({
      description: 'Name of the key at the gateway.',
      pattern: '^[A-Za-z0-9_.-]+$',
      minLength: 1,
      maxLength: 128,
    }),
    scopes: list(Type.String({ pattern: '^[a-z-]+:[a-z-]+$', maxLength: 64 }), {
      description: 'What the key may do, such as secrets:read.',
      minItems: 1,
      maxItems: 32,
    }),
  },
  { description: 'An API key that the gateway issues.' },
)

export const SOURCE_KINDS = [
  'postgresRole',
  'redisUser',
  'generated',
  'keyPair',
  'vaultStaticRole',
  'gatewayApiKey',
] as const
export type SourceKind = (typeof SOURCE_KINDS)[number]

export const RotationSource = fields(
  {
    postgresRole: Type.Optional(PostgresRole),
    redisUser: Type.Optional(RedisUser),
    generated: Type.Optional(Generated),
    keyPair: Type.Optional(KeyPair),
    vaultStaticRole: Type.Optional(VaultStaticRole),
    gatewayApiKey: Type.Optional(GatewayApiKey),
  },
  {
    description: 'Whose credential is rotated: exactly one. It cannot be changed.',
    ...rules(exactlyOne(SOURCE_KINDS, 'spec.source'), {
      rule: 'self == oldSelf',
      message: 'spec.source cannot be changed: delete the resource and make a new one',
    }),
  },
)
export type RotationSource = Static<typeof RotationSource>
export type PostgresRoleSource = Static<typeof PostgresRole>
