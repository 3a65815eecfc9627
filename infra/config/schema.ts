import Type, { type Static } from 'typebox'

const HOST = '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$'
const CIDR = '^([0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-f:]+/[0-9]{1,3})$'
const DNS_LABEL = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'
const QUANTITY = '^[1-9][0-9]*(Mi|Gi|Ti)$'

const object = <P extends Type.TProperties>(properties: P, description?: string) =>
  Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })
const oneOf = <const W extends readonly string[]>(...words: W) =>
  Type.Unsafe<W[number]>({ type: 'string', enum: [...words] })

const SecretKey = Type.String({ pattern: '^[-._a-zA-Z0-9]{1,253}$' })
const Word = Type.String({ pattern: '^\\S+$', maxLength: 2048 })

/** Where the key lies that opens the secret store. An identity, never a credential: a key in here would be in the state. */
const SEALS = {
  transit: Type.Optional(
    object({
      address: Type.String({ pattern: '^https://[^/\\s]+$' }),
      keyName: Word,
      mountPath: Word,
      secret: Type.String({
        pattern: DNS_LABEL,
        description: 'Secret in palisade-vault with token and ca.crt',
      }),
    }),
  ),
  awskms: Type.Optional(object({ region: Word, keyId: Word, roleArn: Word })),
  gcpckms: Type.Optional(
    object({ project: Word, region: Word, keyRing: Word, cryptoKey: Word, serviceAccount: Word }),
  ),
  azurekeyvault: Type.Optional(
    object({ tenantId: Word, vaultName: Word, keyName: Word, clientId: Word }),
  ),
}

/** Other people's operators that the platform stands on. */
export const OPERATORS = ['certManager', 'postgres', 'prometheus'] as const
export type OperatorName = (typeof OPERATORS)[number]

const ChartReference = object({
  chart: Type.String({
    pattern: '^\\S+$',
    description: 'OCI reference, folder or archive; or a name where repo is given',
  }),
  version: Type.String({ pattern: '^v?[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$' }),
  repo: Type.Optional(Type.String({ pattern: '^https://\\S+$' })),
})

export const IMAGE_NAMES = [
  'control',
  'postgres',
  'valkey',
  'openbao',
  'nginx',
  'prometheus',
  'alertmanager',
] as const
export type ImageName = (typeof IMAGE_NAMES)[number]

const Image = Type.String({
  pattern: '^\\S+[:@]\\S+$',
  description: 'Reference with tag or digest',
})

/** What `Pulumi.<stack>.yaml` may say under `palisade:`. Unknown keys are refused. */
export const StackConfig = object({
  profile: oneOf('dev', 'staging', 'production'),
  clusterId: Type.String({ pattern: DNS_LABEL }),
  images: object({
    control: Image,
    postgres: Image,
    valkey: Image,
    openbao: Image,
    nginx: Image,
    prometheus: Image,
    alertmanager: Image,
  }),
  operators: object({
    mode: oneOf('present', 'install'),
    except: Type.Array(oneOf(...OPERATORS), {
      uniqueItems: true,
      description: 'Those that already run, where the others are installed',
    }),
    charts: object({
      certManager: ChartReference,
      postgres: ChartReference,
      prometheus: ChartReference,
    }),
  }),
  cluster: object({
    apiServer: object({
      cidrs: Type.Array(Type.String({ pattern: CIDR }), { minItems: 1 }),
      port: Type.Integer({ minimum: 1, maximum: 65535 }),
    }),
    podCidrs: Type.Array(Type.String({ pattern: CIDR }), { minItems: 1 }),
    dnsCidrs: Type.Array(Type.String({ pattern: CIDR })),
    storageClass: Type.Optional(Type.String({ pattern: DNS_LABEL })),
    storageIsEncrypted: Type.Optional(
      Type.Boolean({ description: 'Asserted by you: Kubernetes cannot see it' }),
    ),
  }),
  postgres: object({
    instances: Type.Integer({ minimum: 1, maximum: 5 }),
    storage: Type.String({ pattern: QUANTITY }),
    auditVolume: Type.Optional(
      Type.String({
        pattern: QUANTITY,
        description:
          'What the watermarks of the audit volume count against, where it is not `storage`: somebody else’s database, or a volume without a size of its own',
      }),
    ),
    version: Type.Integer({ minimum: 17, maximum: 18 }),
    existing: Type.Optional(
      object(
        {
          secret: Type.String({
            pattern: DNS_LABEL,
            description:
              'Secret in palisade-system with username, password and ca.crt. Named here, read by pods alone.',
          }),
          host: Type.String({ pattern: HOST, description: 'As it stands in its certificate' }),
          port: Type.Integer({ minimum: 1, maximum: 65535 }),
          database: Type.String({ pattern: '^[a-z_][a-z0-9_-]{0,62}$' }),
          cidrs: Type.Array(Type.String({ pattern: CIDR }), {
            minItems: 1,
            description: 'Where its addresses are: pods may leave the cluster to these alone',
          }),
        },
        'A database that somebody else runs, instead of one of our own',
      ),
    ),
  }),
  redis: object({ storage: Type.String({ pattern: QUANTITY }) }),
  openbao: object({
    replicas: Type.Integer({ minimum: 1, maximum: 5 }),
    storage: Type.String({ pattern: QUANTITY }),
    seal: oneOf('static', 'transit', 'awskms', 'gcpckms', 'azurekeyvault'),
    ...SEALS,
    sealEgress: Type.Array(
      object({
        cidrs: Type.Array(Type.String({ pattern: CIDR }), { minItems: 1 }),
        port: Type.Integer({ minimum: 1, maximum: 65535 }),
      }),
      { description: 'Addresses that unsealing needs: the key service, and what gives its token' },
    ),
  }),
  edge: object({
    exposure: oneOf('LoadBalancer', 'NodePort', 'HostPort'),
    hosts: Type.Array(Type.String({ pattern: HOST }), { minItems: 1 }),
    publicPort: Type.Integer({ minimum: 1, maximum: 65535 }),
    proxyProtocol: Type.Boolean(),
    trustedProxies: Type.Array(Type.String({ pattern: CIDR })),
    replicas: Type.Integer({ minimum: 1, maximum: 20 }),
    nginxVersion: oneOf('1.26', '1.31'),
    xssFilter: Type.Unsafe<'off' | 'block'>({
      type: 'string',
      enum: ['off', 'block'],
      description:
        'X-XSS-Protection: 0, or 1; mode=block for those whose rules still ask for it: old browsers alone read it',
    }),
  }),
  gateway: object({ replicas: Type.Integer({ minimum: 1, maximum: 50 }) }),
  operator: object({ replicas: Type.Integer({ minimum: 1, maximum: 5 }) }),
  audit: object({
    objectStore: Type.Optional(
      object(
        {
          endpoint: Type.String({
            pattern: '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$',
            description: 'Origin of the S3 API, such as https://s3.eu-central-1.amazonaws.com',
          }),
          bucket: Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$' }),
          region: Type.String({ pattern: '^[a-z0-9-]{1,63}$' }),
          prefix: Type.Optional(
            Type.String({
              pattern: '^([A-Za-z0-9_-][A-Za-z0-9._-]*/)+$',
              maxLength: 256,
              description: 'In front of every key',
            }),
          ),
          addressing: Type.Optional(
            Type.Unsafe<'path' | 'virtual-host'>({
              type: 'string',
              enum: ['path', 'virtual-host'],
              description: 'Where the bucket stands in the address; path by default',
            }),
          ),
          secret: Type.String({
            pattern: DNS_LABEL,
            description:
              'Secret in palisade-system with the credential. Named here, read by the sealer alone, again for each request.',
          }),
          keys: Type.Optional(
            object(
              {
                accessKeyId: Type.Optional(SecretKey),
                secretAccessKey: Type.Optional(SecretKey),
                sessionToken: Type.Optional(SecretKey),
                ca: Type.Optional(SecretKey),
              },
              'Keys of the Secret, where they are not access-key-id, secret-access-key, session-token and ca.crt. The last two may be missing.',
            ),
          ),
          cidrs: Type.Array(Type.String({ pattern: CIDR }), {
            minItems: 1,
            description: 'Where its addresses are: the sealer may leave the cluster to these alone',
          }),
        },
        'A bucket outside of the cluster, where checkpoints of the audit log are kept',
      ),
    ),
  }),
  monitoring: object({
    enabled: Type.Boolean(),
    retention: Type.String({ pattern: '^[0-9]+[hdw]$' }),
    runbooks: Type.Optional(
      Type.String({
        pattern: '^https://[^\\s"]+[^\\s"/]$',
        description:
          'Folder where the runbook pages are published: links of alerts and dashboards lead there',
      }),
    ),
  }),
  appNamespaces: Type.Array(Type.String({ pattern: DNS_LABEL }), { uniqueItems: true }),
})
export type StackConfig = Static<typeof StackConfig>
export type Profile = StackConfig['profile']
