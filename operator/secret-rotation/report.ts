import type { ConditionType } from '#api/v1alpha1/conditions'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type { Deps } from '../ports.ts'
import type { EventNote } from '../runtime/events.ts'
import { undeliveredSince, without } from './audit-outbox.ts'
import { nextRotation } from './next-rotation.ts'
import type { Plan } from './plan.ts'
import { namesOf } from './rules/holders.ts'
import type { StateRecord } from './state.ts'

/** Events for what a person watching would want to know; names and numbers only. */
export function announce(
  rotation: SecretRotation,
  plan: Plan,
  state: StateRecord,
  deps: Deps,
): void {
  const event = eventFor(plan, state)
  if (!event) return
  deps.events.record(rotation, event)
  deps.log.info(
    { namespace: rotation.metadata.namespace, rotation: rotation.metadata.name, ...event },
    'Rotation went on',
  )
}

type Teller = (plan: Plan, state: StateRecord) => EventNote | undefined

const told = (
  type: EventNote['type'],
  reason: string,
  action: string,
  note: string,
): EventNote => ({
  type,
  reason,
  action,
  note,
})

/** Nobody but an administrator of the database can end them there. */
export const sessionsUnknown = (role: string, instances: readonly string[]): EventNote => {
  const note = `${instances.join(', ')} gave no answer; sessions of user ${role} may be open there`
  return told('Warning', 'SessionsUnknown', 'Retire', note)
}

const versionOf = ({ rotation, current }: StateRecord): number =>
  rotation?.version ?? current?.version ?? 0

/** Every kind of plan is named, so that a new one has to decide whether it is worth an event. */
const TELLERS: Readonly<Record<Plan['do'], Teller | 'silent'>> = {
  begin: (plan, state) => {
    const { role = '', reason = '' } = state.rotation ?? {}
    const note = `Version ${versionOf(state)} for user ${role}: ${reason}`
    return told('Normal', 'RotationBegan', 'Rotate', note)
  },
  publishSecret: (_plan, state) => {
    const note = `Version ${versionOf(state)} is published; its user is ${state.current?.role}`
    return told('Normal', 'Published', 'Publish', note)
  },
  restart: (plan, state) => {
    if (plan.do !== 'restart' || !plan.restarts) return undefined
    const { kind, name } = plan.patch
    const note = `${kind}/${name} restarts for version ${versionOf(state)}`
    return told('Normal', 'RestartedConsumer', 'Restart', note)
  },
  disable: (_plan, { previous }) =>
    told('Normal', 'PreviousDisabled', 'Retire', `User ${previous?.role} is disabled`),
  terminate: (_plan, { previous, rotation }) =>
    rotation?.unreached && sessionsUnknown(previous?.role ?? '', rotation.unreached),
  enable: (_plan, { previous, rotation }) => {
    const who = rotation?.refused ? `: ${namesOf(rotation.refused.holders)} was refused` : ''
    const note = `User ${previous?.role} may log in again${who}`
    return told('Warning', 'PreviousEnabledAgain', 'Retire', note)
  },
  dropPrevious: () =>
    told('Normal', 'PreviousDestroyed', 'Retire', 'The previous value is destroyed'),
  rollBack: (plan) =>
    plan.do === 'rollBack' ? told('Warning', 'RolledBack', 'RollBack', plan.note) : undefined,
  wait: (plan) =>
    plan.do === 'wait' && plan.stalled === true
      ? told('Warning', plan.reason, 'Wait', plan.message)
      : undefined,
  setVerifier: 'silent',
  testLogin: 'silent',
  publishValue: 'silent',
  destroyVerifier: 'silent',
  destroyValue: 'silent',
  noteQuiet: 'silent',
  noteRestart: 'silent',
  goOn: 'silent',
  complete: 'silent',
  keepUp: 'silent',
}

function eventFor(plan: Plan, state: StateRecord): EventNote | undefined {
  const teller = TELLERS[plan.do]
  return teller === 'silent' ? undefined : teller(plan, state)
}

export function measure(
  rotation: SecretRotation,
  status: SecretRotationStatus,
  state: StateRecord,
  now: Date,
  { metrics, deliveries }: Deps,
): void {
  const key = { namespace: rotation.metadata.namespace ?? '', name: rotation.metadata.name }
  const { lastRotationTime, outbox } = state
  if (lastRotationTime !== undefined) metrics.issued(key, new Date(lastRotationTime))
  const due = nextRotation(rotation, lastRotationTime)
  metrics.overdue(key, due ? Math.max(0, (now.getTime() - due.getTime()) / 1000) : 0)
  const left = deliveries ? without(outbox, deliveries.taken(key)) : outbox
  metrics.undelivered(key, undeliveredSince(left))
  const holds = (wanted: ConditionType) =>
    status.conditions?.some(({ type, status }) => type === wanted && status === 'True') ?? false
  metrics.stalled(key, holds('Stalled'))
  metrics.blind(key, holds('RefusalsUnseen'))
}
