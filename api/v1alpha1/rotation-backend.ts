import { Type, type Static } from 'typebox'
import { Conditions } from './conditions.ts'
import type { CustomResource, Manifest } from './object.ts'
import { dnsLabel, exactlyOne, fields, list, rules, textMap, time, words } from './schema.ts'

export const BACKEND_KINDS = ['Postgres', 'Redis', 'Vault', 'Gateway'] as const
export type BackendKind = (typeof BACKEND_KINDS)[number]

const host = (description: string) =>
  Type.String({
    description,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$',
    minLength: 1,
    maxLength: 253,
  })

const port = (description: string) =>
  Type.Integer({ description, minimum: 1, maximum: 65_535, format: 'int32' })

const Endpoint = fields(
  {
    host: host('Name or address; for Postgres and Redis the one that takes writes.'),
    port: port('TCP port; TLS is always used.'),
    database: Type.Optional(
      Type.String({
        description: 'Postgres: the database that holds the fenced functions.',
        pattern: '^[a-z_][a-z0-9_-]*$',
        maxLength: 63,
      }),
    ),
  },
  { description: 'Where the backend answers.' },
)

const Instances = fields(
  {
    host: host('A name that resolves to every instance, replicas included.'),
    port: port('TCP port of each.'),
  },
  {
    description:
      'All instances, which are asked for sessions of a previous user. Default: the endpoint alone.',
  },
)

const ServerLogs = fields(
  {
    namespace: dnsLabel('Namespace of the Pods that the servers run in.'),
    podSelector: fields(
      { matchLabels: textMap('Labels of these Pods.', 8, 63) },
      {
        description: 'Which Pods of that namespace are servers of this backend.',
        ...rules({
          rule: 'self.matchLabels.size() > 0',
          message: 'spec.serverLogs.podSelector.matchLabels: name at least one label',
        }),
      },
    ),
    container: dnsLabel('The container whose log is that of the server.'),
  },
  {
    description:
      "Postgres in this cluster: where the servers' logs are, in which alone refused logins of a disabled user show. Records of CloudNativePG (JSON) or plain lines that begin with %m [%p]; messages in English. Of a log that has a gap nothing is taken for seen; CloudNativePG drops records unless spec.logLevel of its Cluster is debug. The operator needs a Role there: list on pods, get on pods/log.",
  },
)

const Tls = fields(
  {
    trust: words(['Platform', 'Bundle', 'Credential'], {
      description:
        "Platform: the CA of the operator's own certificate. Bundle: the one in caBundle. Credential: the one that lies beside the operator's own credential, under credential.vaultPath.",
      default: 'Platform',
    }),
    caBundle: Type.Optional(
      Type.String({
        description: 'CA certificates, PEM.',
        pattern: '^-----BEGIN CERTIFICATE-----',
        maxLength: 65_536,
      }),
    ),
    serverName: Type.Optional(host('Name in the certificate, where it differs from the host.')),
  },
  {
    description: 'Which server certificate is trusted.',
    default: {},
    ...rules({
      rule: "(self.trust == 'Bundle') == has(self.caBundle)",
      message: 'spec.tls.caBundle: give it with trust: Bundle, and only then',
      fieldPath: '.caBundle',
    }),
  },
)

const Credential = fields(
  {
    clientCertificate: Type.Optional(
      fields(
        {
          user: Type.String({
            description: 'The login; it is the common name of the certificate.',
            pattern: '^[a-z_][a-z0-9_-]*$',
            maxLength: 63,
          }),
          secretName: dnsLabel(
            'TLS Secret that is mounted into the operator under /etc/palisade/tls/.',
          ),
        },
        { description: 'The operator logs in by a certificate; no password exists.' },
      ),
    ),
    vaultPath: Type.Optional(
      Type.String({
        description:
          "Path of the operator's own credential in the KV v2 store, with its mount: username, password, and ca where tls.trust is Credential.",
        pattern: '^platform/[a-z0-9_-]+(/[a-z0-9_-]+)*$',
        maxLength: 200,
      }),
    ),
    serviceAccount: Type.Optional(
      fields(
        {
          audience: Type.String({
            description: 'Audience of the projected token.',
            minLength: 1,
            maxLength: 253,
          }),
        },
        { description: 'The operator presents its own Kubernetes token.' },
      ),
    ),
  },
  {
    description: 'How the operator itself logs in: exactly one.',
    ...rules(exactlyOne(['clientCertificate', 'vaultPath', 'serviceAccount'], 'spec.credential')),
  },
)

const Requirement = fields(
  {
    key: Type.String({ description: 'Label.', maxLength: 317 }),
    operator: words(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
      description: 'How it is compared.',
    }),
    values: Type.Optional(
      list(Type.String({ maxLength: 63 }), { maxItems: 64, description: 'With these values.' }),
    ),
  },
  { description: 'One requirement on the labels of a namespace.' },
)

const NamespaceSelector = fields(
  {
    matchLabels: Type.Optional(textMap('Labels that the namespace must have.', 16, 63)),
    matchExpressions: Type.Optional(
      list(Requirement, { maxItems: 16, description: 'Further requirements.' }),
    ),
  },
  {
    description:
      'The namespaces whose rotations may name this backend. kubernetes.io/metadata.name selects by name.',
    ...rules({
      rule: '(has(self.matchLabels) && self.matchLabels.size() > 0) || (has(self.matchExpressions) && self.matchExpressions.size() > 0)',
      message:
        'spec.allowedNamespaces: an empty selector would allow every namespace; say so by an expression with Exists',
    }),
  },
)

// A namespace is a DNS label, so a name that goes on with another character cannot belong to a second one.
const NAME_PATTERN = {
  variable: {
    rule: "!self.replace('{namespace}', '').matches('[{}]')",
    message: 'spec.names: {namespace} is the only variable',
  },
  separator: {
    rule: "!self.contains('{namespace}') || self.matches('^[{]namespace[}][_:./]')",
    message:
      'spec.names: begin with {namespace} and go on with one of "_", ":", ".", "/", which no namespace contains',
  },
  wildcard: {
    rule: "!self.contains('*') || (self.contains('{namespace}') && self.endsWith('*') && self.indexOf('*') == self.size() - 1)",
    message: 'spec.names: one "*" is allowed, at the end of a pattern that begins with {namespace}',
  },
}

export const RotationBackendSpec = fields(
  {
    kind: words(BACKEND_KINDS, {
      description: 'What answers there. It cannot be changed.',
      ...rules({ rule: 'self == oldSelf', message: 'spec.kind cannot be changed' }),
    }),
    endpoint: Endpoint,
    instances: Type.Optional(Instances),
    serverLogs: Type.Optional(ServerLogs),
    tls: Tls,
    credential: Credential,
    allowedNamespaces: NamespaceSelector,
    names: list(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: '^[A-Za-z0-9_:./{}*-]+$',
        ...rules(NAME_PATTERN.variable, NAME_PATTERN.separator, NAME_PATTERN.wildcard),
      }),
      {
        description:
          'The roles and users that may be named: exact names, or {namespace}_* for those that begin with the namespace.',
        minItems: 1,
        maxItems: 32,
      },
    ),
    maxConcurrent: Type.Integer({
      description:
        'Rotations that may move at the same time; a further one waits for its turn (WaitingForTurn), first come, first served. A rotation moves from its beginning until its consumers have switched and nobody has a session of the previous user, and counts for a quarter of an hour at most. A first value waits for nobody and counts for none; one that replaces a leaked or refused value does not wait.',
      minimum: 1,
      maximum: 100,
      default: 4,
      format: 'int32',
    }),
  },
  {
    description: 'A system that holds credentials, and who may name which of them.',
    ...rules(
      {
        rule: "self.kind != 'Postgres' || has(self.endpoint.database)",
        message: 'spec.endpoint.database: a Postgres backend needs it',
        fieldPath: '.endpoint.database',
      },
      {
        rule: "self.kind == 'Postgres' || !has(self.serverLogs)",
        message: 'spec.serverLogs: only the log of a Postgres server is understood',
        fieldPath: '.serverLogs',
      },
      {
        rule: "self.tls.trust != 'Credential' || has(self.credential.vaultPath)",
        message: 'spec.tls.trust: Credential needs spec.credential.vaultPath',
        fieldPath: '.tls.trust',
      },
    ),
  },
)
export type RotationBackendSpec = Static<typeof RotationBackendSpec>

export const RotationBackendStatus = fields(
  {
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'Generation of the spec that was judged last.',
        minimum: 0,
        format: 'int64',
      }),
    ),
    conditions: Type.Optional(Conditions),
    lastProbeTime: Type.Optional(time('When it last answered.')),
    serverVersion: Type.Optional(
      Type.String({ description: 'What it says it is.', maxLength: 128 }),
    ),
  },
  { description: 'What the operator last saw.' },
)
export type RotationBackendStatus = Static<typeof RotationBackendStatus>

/** Written by the platform team; cluster-scoped. */
export type RotationBackend = CustomResource<
  'RotationBackend',
  RotationBackendSpec,
  RotationBackendStatus
>
export type RotationBackendManifest = Manifest<RotationBackend>
