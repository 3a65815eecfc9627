import { Type, type Static } from 'typebox'
import type { CustomResource, Manifest } from './object.ts'
import { RotationSource } from './rotation-source.ts'
import {
  dnsLabel,
  duration,
  fields,
  immutable,
  list,
  nameRef,
  rules,
  textMap,
  words,
} from './schema.ts'
import type { SecretRotationStatus } from './secret-rotation-status.ts'
import { CONSUMER_KINDS } from './secret-rotation-status.ts'

const Store = fields(
  {
    path: Type.String({
      description:
        'Where the value is kept, below apps/<namespace>/ in the KV v2 store. It cannot be changed.',
      minLength: 1,
      maxLength: 200,
      ...rules(
        {
          rule: "!self.startsWith('/')",
          message: 'store.path is relative: it begins below apps/<namespace>/, without a slash',
        },
        {
          rule: "self.split('/').all(part, part != '' && part != '.' && part != '..')",
          message: 'store.path: no part may be empty, "." or ".."',
        },
        { rule: "!self.matches('[*+?]')", message: 'store.path: wildcards are not allowed' },
        {
          rule: "self.matches('^[A-Za-z0-9_./*+?-]+$')",
          message: 'store.path: use letters, digits, "-", "_", "." and "/"',
        },
        immutable('spec.store.path'),
      ),
    }),
  },
  { description: 'The place of the value in the secret store.' },
)

const notOurs = (field: string) =>
  rules({
    rule: "self.all(key, !key.startsWith('palisade.dev/'))",
    message: `${field}: keys of palisade.dev belong to the operator`,
  })

const Template = fields(
  {
    type: Type.String({
      description: 'Type of the Secret.',
      default: 'Opaque',
      maxLength: 253,
      ...rules({
        rule: "!self.startsWith('kubernetes.io/service-account') && !self.startsWith('bootstrap.kubernetes.io/')",
        message: 'template.type: types that grant access to the cluster are not allowed',
      }),
    }),
    labels: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string>>>({
        ...textMap('Labels of the Secret.', 16, 63),
        ...notOurs('template.labels'),
      }),
    ),
    annotations: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string>>>({
        ...textMap('Annotations of the Secret.', 16, 1024),
        ...notOurs('template.annotations'),
      }),
    ),
    data: Type.Optional(
      textMap(
        'Keys of the Secret; {{username}}, {{password}}, {{host}}, {{port}}, {{dbname}} and {{uri}} are filled in. Default: a key for each of them that the source knows.',
        32,
        4096,
      ),
    ),
  },
  { description: 'How the Secret looks.', default: {} },
)

const Secret = fields(
  {
    name: dnsLabel('The Kubernetes Secret that consumers read.'),
    previous: words(['Omit', 'Include'], {
      description:
        'Whether the previous value is there too, as previous-<key>, until it is destroyed.',
      default: 'Omit',
    }),
    template: Template,
  },
  { description: 'The Kubernetes Secret that is published.' },
)

const Window = fields(
  {
    start: Type.String({
      description: 'When it opens, as a cron expression.',
      minLength: 9,
      maxLength: 128,
    }),
    duration: duration('How long it stays open.'),
  },
  { description: 'A time in which a rotation may start.' },
)

const Schedule = fields(
  {
    every: Type.Optional(
      duration('The longest age of a value.', {
        ...rules({
          rule: "duration(self) >= duration('1m')",
          message: 'schedule.every: at least 1m',
        }),
      }),
    ),
    cron: Type.Optional(
      Type.String({
        description: 'When a rotation is due, as a cron expression of five fields.',
        pattern: '^(\\S+\\s+){4}\\S+$',
        minLength: 9,
        maxLength: 128,
      }),
    ),
    timeZone: Type.String({
      description: 'IANA time zone of cron and windows.',
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
      maxLength: 64,
      default: 'UTC',
    }),
    jitter: duration('Up to this much later, so that many do not start together.', {
      default: '0s',
    }),
    windows: Type.Optional(
      list(Window, {
        maxItems: 16,
        description: 'Rotations start only in these; without any, at all times.',
      }),
    ),
  },
  {
    description: 'When the value is replaced: every or cron.',
    ...rules({
      rule: 'has(self.every) != has(self.cron)',
      message: 'spec.schedule: set exactly one of every and cron',
    }),
  },
)

const Overlap = fields(
  {
    min: duration('How long the disabled previous value is watched before it is destroyed.', {
      default: '10m',
    }),
    max: duration('How long both values may stay valid.', { default: '24h' }),
    quiet: duration('How long the backend must see no session of the previous user.', {
      default: '2m',
    }),
    onMax: words(['Hold', 'Revoke'], {
      description:
        'At max, with the previous value still in use. Hold: both stay, the resource is Stalled. Revoke: its holders lose.',
      default: 'Hold',
    }),
  },
  {
    description: 'How long the previous value lives beside the new one.',
    default: {},
    ...rules({
      rule: 'duration(self.min) <= duration(self.max)',
      message: 'overlap.min: at most overlap.max',
      fieldPath: '.min',
    }),
  },
)

const Restart = fields(
  {
    maxConcurrent: Type.Integer({
      description: 'Workloads that restart at the same time.',
      minimum: 1,
      maximum: 100,
      default: 1,
      format: 'int32',
    }),
    timeout: duration('How long one workload may take to become healthy.', { default: '10m' }),
    coalesce: duration('Restarts for Secrets that change within this time become one.', {
      default: '30s',
    }),
  },
  { description: 'How consumers are restarted.', default: {} },
)

const ExtraConsumer = fields(
  {
    kind: words(CONSUMER_KINDS, { description: 'Kind of the workload.' }),
    name: dnsLabel('Its name, in the same namespace.', { maxLength: 253 }),
    evidence: words(['Restarted', 'Acknowledged'], {
      description:
        'Restarted: it is restarted. Acknowledged: it reloads and reports the version it uses.',
      default: 'Restarted',
    }),
  },
  { description: 'A consumer that does not name the Secret in its Pod template.' },
)

const Consumers = fields(
  {
    discover: words(['ByReference', 'Off'], {
      description: 'Whether workloads whose Pods name the Secret are found and restarted.',
      default: 'ByReference',
    }),
    extra: Type.Optional(list(ExtraConsumer, { maxItems: 50, description: 'Further consumers.' })),
    restart: Restart,
  },
  { description: 'Who reads the Secret.', default: {} },
)

export const SecretRotationSpec = fields(
  {
    source: RotationSource,
    store: Store,
    secret: Secret,
    schedule: Schedule,
    overlap: Overlap,
    consumers: Consumers,
    onUnhealthy: Type.Optional(
      words(['RollBack', 'Hold'], {
        description:
          'What happens when a consumer turns unhealthy with the new value. Default: RollBack where two values are live, otherwise Hold.',
      }),
    ),
    policyRef: Type.Optional(
      nameRef(
        'A RotationPolicy with a freeze calendar. Not carried out yet: a resource that names one is refused (NotSupported), so that no freeze is passed over.',
      ),
    ),
    suspend: Type.Boolean({
      description:
        'Starts no rotation and stops a running one before it is published; a published one runs to its end.',
      default: false,
    }),
    deletionPolicy: words(['Retain', 'Revoke'], {
      description:
        'When the resource is deleted. Retain: the credential lives on. Revoke: it is disabled first.',
      default: 'Retain',
    }),
  },
  {
    description: 'What is rotated, when, and who reads it.',
    ...rules(
      {
        rule: '!has(self.schedule.every) || duration(self.schedule.every) >= duration(self.overlap.max) + duration(self.overlap.max)',
        message:
          'schedule.every: at least twice overlap.max, so that the other user is free when its turn comes',
        fieldPath: '.schedule.every',
      },
      {
        rule: "!has(self.onUnhealthy) || self.onUnhealthy != 'RollBack' || !(has(self.source.vaultStaticRole) || (has(self.source.postgresRole) && self.source.postgresRole.roles.size() == 1))",
        message: 'onUnhealthy: a source with a single user has nothing to roll back to; use Hold',
        fieldPath: '.onUnhealthy',
      },
    ),
  },
)
export type SecretRotationSpec = Static<typeof SecretRotationSpec>

export type SecretRotation = CustomResource<
  'SecretRotation',
  SecretRotationSpec,
  SecretRotationStatus
>
export type SecretRotationManifest = Manifest<SecretRotation>
export type { SecretRotationStatus }
