import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type { Deps } from '../ports.ts'
import type { EventNote } from '../runtime/events.ts'
import { undeliveredAge } from './audit-outbox.ts'
import { nextRotation } from './next-rotation.ts'
import type { Plan } from './plan.ts'
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

function eventFor(plan: Plan, { rotation, current, previous }: StateRecord): EventNote | undefined {
  const version = rotation?.version ?? current?.version ?? 0
  const normal = (reason: string, action: string, note: string): EventNote => ({
    type: 'Normal',
    reason,
    action,
    note,
  })
  switch (plan.do) {
    case 'begin':
      return normal(
        'RotationBegan',
        'Rotate',
        `Version ${version} for user ${plan.role}: ${plan.why}`,
      )
    case 'publishSecret':
      return normal(
        'Published',
        'Publish',
        `Version ${version} is published; its user is ${current?.role}`,
      )
    case 'restart':
      return plan.restarts
        ? normal(
            'RestartedConsumer',
            'Restart',
            `${plan.patch.kind}/${plan.patch.name} restarts for version ${version}`,
          )
        : undefined
    case 'disable':
      return normal('PreviousDisabled', 'Retire', `User ${previous?.role} is disabled`)
    case 'enable':
      return {
        ...normal('PreviousEnabledAgain', 'Retire', `User ${previous?.role} may log in again`),
        type: 'Warning',
      }
    case 'dropPrevious':
      return normal('PreviousDestroyed', 'Retire', 'The previous value is destroyed')
    case 'rollBack':
      return { ...normal('RolledBack', 'RollBack', plan.note), type: 'Warning' }
    case 'wait':
      return plan.stalled === true
        ? { type: 'Warning', reason: plan.reason, action: 'Wait', note: plan.message }
        : undefined
    case 'setVerifier':
    case 'testLogin':
    case 'publishValue':
    case 'terminate':
    case 'destroyVerifier':
    case 'destroyValue':
    case 'noteQuiet':
    case 'noteRestart':
    case 'goOn':
    case 'complete':
    case 'keepUp':
      return undefined
  }
}

export function measure(
  rotation: SecretRotation,
  status: SecretRotationStatus,
  state: StateRecord,
  now: Date,
  { metrics }: Deps,
): void {
  const key = { namespace: rotation.metadata.namespace ?? '', name: rotation.metadata.name }
  const { lastRotationTime, outbox } = state
  if (lastRotationTime !== undefined) metrics.issued(key, new Date(lastRotationTime))
  const due = nextRotation(rotation, lastRotationTime)
  metrics.overdue(key, due ? Math.max(0, (now.getTime() - due.getTime()) / 1000) : 0)
  metrics.undelivered(key, undeliveredAge(outbox, now))
  const stalled = status.conditions?.some(
    ({ type, status }) => type === 'Stalled' && status === 'True',
  )
  metrics.stalled(key, stalled ?? false)
}
