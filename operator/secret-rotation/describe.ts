import type { ConditionType, RotationReason as ConditionReason } from '#api/v1alpha1/conditions'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type { Step as StatusStep } from '#api/v1alpha1/secret-rotation-status'
import { parseDuration } from '#core/duration'
import { settleConditions } from '../runtime/apply.ts'
import type { Condition } from '../runtime/types.ts'
import { nextRotation } from './next-rotation.ts'
import { labelOf } from './evidence.ts'
import type { Observed } from './observed.ts'
import type { Plan, Waiting } from './plan.ts'
import { standingsOf } from './rules/consumers.ts'
import type { StateRecord, Step } from './state.ts'

const STATUS_STEP: Readonly<Record<Step, StatusStep>> = {
  setVerifier: 'Set',
  testLogin: 'Test',
  publishValue: 'Publish',
  publishSecret: 'Publish',
  converge: 'Await',
  disable: 'Disable',
  terminate: 'Disable',
  watch: 'Watch',
  enable: 'Await',
  destroyVerifier: 'Destroy',
  destroyValue: 'Destroy',
  dropPrevious: 'Destroy',
}

export interface Standing {
  readonly ready: 'True' | 'False' | 'Unknown'
  readonly reconciling: boolean
  readonly stalled: boolean
  readonly reason: ConditionReason
  readonly message: string
}

/** Pure: the same pass always describes itself in the same words, so that an idle resource writes nothing. */
export function describe(
  seen: Observed,
  plan: Plan,
  state: StateRecord,
  now: Date,
): SecretRotationStatus {
  const { current, rotation: flight } = state
  return {
    ...base(seen.rotation, standingOf(plan, state), now, blindness(seen)),
    strategy: 'Overlap',
    step: flight ? STATUS_STEP[flight.step] : 'Idle',
    ...(current ? { version: current.version, user: current.role } : {}),
    ...(flight || current ? { rotationId: flight?.id ?? current?.rotationId ?? '' } : {}),
    ...previousIn(seen, plan, state),
    ...timesIn(seen, state),
    ...consumersIn(seen, state, now),
    ...tokensIn(state),
  }
}

function previousIn(
  seen: Observed,
  plan: Plan,
  { previous, rotation }: StateRecord,
): SecretRotationStatus {
  if (!previous) return {}
  const holders = plan.do === 'wait' ? (plan.holders ?? []) : []
  return {
    previous: {
      version: previous.version,
      user: previous.role,
      state: rotation?.disabledAt === undefined ? 'Valid' : 'Disabled',
      ...validUntil(seen.rotation, rotation?.publishedAt),
      ...(holders.length > 0 ? { holders: [...holders] } : {}),
    },
  }
}

function timesIn({ rotation }: Observed, { lastRotationTime }: StateRecord): SecretRotationStatus {
  const next = nextRotation(rotation, lastRotationTime)
  return {
    ...(lastRotationTime === undefined
      ? {}
      : { lastRotationTime: seconds(new Date(lastRotationTime)) }),
    ...(next ? { nextRotationTime: seconds(next) } : {}),
  }
}

/** Only while they move, and only the laggards: at rest the list would say what everybody expects. */
function consumersIn(seen: Observed, { rotation }: StateRecord, now: Date): SecretRotationStatus {
  if (rotation?.step !== 'converge' && rotation?.step !== 'watch') return {}
  const judged = standingsOf(seen, rotation, now)
  const laggards = judged.filter(({ lacks }) => lacks !== undefined)
  const consumerCount = { total: judged.length, switched: judged.length - laggards.length }
  if (laggards.length === 0) return { consumerCount }
  const consumers = laggards.slice(0, 20).map(({ consumer, lacks }) => {
    const healthy = consumer.pods.every((pod) => pod.readySince !== undefined)
    return {
      kind: consumer.kind,
      name: consumer.name,
      health: healthy ? ('Healthy' as const) : ('Unhealthy' as const),
      message: `${labelOf(consumer)}: ${lacks}`.slice(0, 512),
    }
  })
  return { consumerCount, consumers }
}

const tokensIn = ({
  lastHandledRotateNow,
  lastHandledLeak,
}: StateRecord): SecretRotationStatus => ({
  ...(lastHandledRotateNow === undefined ? {} : { lastHandledRotateNow }),
  ...(lastHandledLeak === undefined ? {} : { lastHandledLeaked: lastHandledLeak }),
})

/** A pass that could not be finished keeps what was known and says what stands in the way. */
export function describeTrouble(
  rotation: SecretRotation,
  standing: Standing,
  now: Date,
): SecretRotationStatus {
  return { ...rotation.status, ...base(rotation, standing, now) }
}

/** Said while it matters and gone afterwards: a rotation waits for nothing that nobody can read. */
function blindness({ refusals }: Observed): readonly WantedCondition[] {
  if (refusals?.kind !== 'unseen') return []
  const { reason, message } = refusals
  return [{ type: 'RefusalsUnseen', status: 'True', reason, message }]
}

interface WantedCondition extends Pick<Condition, 'status' | 'reason' | 'message'> {
  readonly type: ConditionType
}

function base(
  rotation: SecretRotation,
  standing: Standing,
  now: Date,
  further: readonly WantedCondition[] = [],
): SecretRotationStatus {
  const { reason, message } = standing
  const generation = rotation.metadata.generation ?? 0
  const own = (type: ConditionType, holds: Condition['status']) => ({
    ...{ type, status: holds, reason, message },
  })
  const wanted = [
    own('Ready', standing.ready),
    own('Reconciling', standing.reconciling ? 'True' : 'False'),
    own('Stalled', standing.stalled ? 'True' : 'False'),
    ...further,
  ].map((condition) => ({
    ...condition,
    message: condition.message.slice(0, 4096),
    observedGeneration: generation,
  }))
  return {
    observedGeneration: generation,
    conditions: settleConditions(rotation.status?.conditions, wanted, now),
  }
}

function standingOf(plan: Plan, { current, rotation }: StateRecord): Standing {
  // Consumers have a tested value from the first publication on, also while the next one is on its way.
  const ready = current === null ? 'False' : 'True'
  if (plan.do === 'wait') return waiting(plan, ready, rotation !== null)
  if (rotation) {
    const message = `Rotating to version ${rotation.version} (${rotation.reason}): ${rotation.step}`
    return { ready, reconciling: true, stalled: false, reason: 'Rotating', message }
  }
  const message = current ? `Version ${current.version} is published` : 'Nothing is published yet'
  return { ready, reconciling: false, stalled: false, reason: 'UpToDate', message }
}

const waiting = (
  { reason, message, stalled = false }: Waiting,
  ready: Standing['ready'],
  inFlight: boolean,
): Standing => ({ ready, reconciling: inFlight && !stalled, stalled, reason, message })

function validUntil(rotation: SecretRotation, publishedAt: string | undefined) {
  if (publishedAt === undefined) return {}
  const until = Date.parse(publishedAt) + parseDuration(rotation.spec.overlap.max)
  return { validUntil: seconds(new Date(until)) }
}

const seconds = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z')
