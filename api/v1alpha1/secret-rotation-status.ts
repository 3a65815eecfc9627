import { Type, type Static } from 'typebox'
import { Conditions } from './conditions.ts'
import { fields, list, time, words } from './schema.ts'

export const STRATEGIES = ['Overlap', 'Announce', 'Replace'] as const
export type Strategy = (typeof STRATEGIES)[number]

/** The steps of a rotation in order; RollBack leaves the row, Idle is between two rotations. */
export const STEPS = [
  'Idle',
  'Create',
  'Set',
  'Test',
  'Publish',
  'RollOut',
  'Await',
  'Disable',
  'Watch',
  'Destroy',
  'RollBack',
] as const
export type Step = (typeof STEPS)[number]

export const CONSUMER_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
export type ConsumerKind = (typeof CONSUMER_KINDS)[number]

export const EVIDENCE = ['Restarted', 'Acknowledged', 'Unused'] as const
export type Evidence = (typeof EVIDENCE)[number]

const version = (description: string) => Type.Integer({ description, minimum: 0, format: 'int64' })

const ConsumerStatus = fields(
  {
    kind: Type.String({ description: 'Kind of the workload, or Pod.', maxLength: 63 }),
    name: Type.String({ description: 'Its name.', maxLength: 253 }),
    version: Type.Optional(version('The version that it is shown to run.')),
    health: words(['Healthy', 'Unhealthy', 'Unknown'], {
      description: 'Whether its Pods are Ready.',
    }),
    evidence: Type.Optional(
      list(words(EVIDENCE, {}), {
        maxItems: 3,
        description:
          'What shows the switch: Pods started after publication, the process said so, or the backend sees no session of the old user.',
      }),
    ),
    message: Type.Optional(
      Type.String({ description: 'What it still waits for.', maxLength: 512 }),
    ),
  },
  { description: 'A workload that reads the Secret and has not switched yet.' },
)
export type ConsumerStatus = Static<typeof ConsumerStatus>

const Holder = fields(
  {
    address: Type.String({
      description: 'Address of the client as the backend sees it.',
      maxLength: 64,
    }),
    pod: Type.Optional(
      Type.String({ description: 'The Pod that has this address.', maxLength: 253 }),
    ),
    application: Type.Optional(
      Type.String({ description: 'Name that the client gave.', maxLength: 128 }),
    ),
    sessions: Type.Integer({ description: 'Open sessions.', minimum: 0, format: 'int32' }),
    refused: Type.Optional(
      Type.Integer({
        description: 'Logins that were refused while the user was disabled.',
        minimum: 1,
        format: 'int32',
      }),
    ),
  },
  { description: 'A client that still has sessions of the previous user, or tried to open one.' },
)
export type Holder = Static<typeof Holder>

const Previous = fields(
  {
    version: version('Number of the previous version.'),
    user: Type.Optional(Type.String({ description: 'Its user name.', maxLength: 128 })),
    validUntil: Type.Optional(time('When it ends at the latest, unless it is held.')),
    state: words(['Valid', 'Disabled'], { description: 'Whether it still logs in.' }),
    holders: Type.Optional(
      list(Holder, { maxItems: 20, description: 'Who still uses it, at most 20 are named.' }),
    ),
  },
  { description: 'The version before, until it is destroyed.' },
)

const Failure = fields(
  {
    code: Type.String({ description: 'Code of the error catalogue.', maxLength: 64 }),
    count: Type.Integer({ description: 'Failures in a row.', minimum: 1, format: 'int32' }),
    retryTime: Type.Optional(time('When it is tried again.')),
  },
  { description: 'The last failure; absent when all is well.' },
)

const ConsumerCount = fields(
  {
    total: Type.Integer({ description: 'Consumers found.', minimum: 0, format: 'int32' }),
    switched: Type.Integer({
      description: 'Of these on the current version.',
      minimum: 0,
      format: 'int32',
    }),
  },
  { description: 'All consumers, counted.' },
)

/** What was seen. It holds no value and no digest of one, and losing it changes nothing. */
export const SecretRotationStatus = fields(
  {
    observedGeneration: Type.Optional(version('Generation of the spec that was judged last.')),
    conditions: Type.Optional(Conditions),
    strategy: Type.Optional(
      words(STRATEGIES, {
        description:
          'Overlap: two live values. Announce: the next key is known before it is used. Replace: a gap exists.',
      }),
    ),
    version: Type.Optional(version('Number of the published version.')),
    user: Type.Optional(
      Type.String({ description: 'User name of the published version.', maxLength: 128 }),
    ),
    rotationId: Type.Optional(
      Type.String({ description: 'Id of the running or last rotation.', maxLength: 64 }),
    ),
    step: Type.Optional(words(STEPS, { description: 'Where the running rotation is.' })),
    previous: Type.Optional(Previous),
    lastRotationTime: Type.Optional(time('When the current version was published.')),
    nextRotationTime: Type.Optional(time('When the next rotation is due.')),
    consumerCount: Type.Optional(ConsumerCount),
    consumers: Type.Optional(
      list(ConsumerStatus, {
        maxItems: 20,
        description: 'Consumers that lag behind, at most 20 are named.',
      }),
    ),
    lastHandledRotateNow: Type.Optional(
      Type.String({
        description: 'Token of the last palisade.dev/rotate-now that was acted on.',
        maxLength: 256,
      }),
    ),
    lastHandledLeaked: Type.Optional(
      Type.String({
        description: 'Text of the last palisade.dev/leaked that was acted on.',
        maxLength: 256,
      }),
    ),
    failure: Type.Optional(Failure),
  },
  { description: 'What the operator last saw.' },
)
export type SecretRotationStatus = Static<typeof SecretRotationStatus>
