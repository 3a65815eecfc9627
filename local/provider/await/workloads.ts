import { conditionOf, numberAt } from '../kubernetes/object.ts'
import { at, type JsonMap } from '../values.ts'
import { failed, READY, waiting, type Check } from './readiness.ts'

/** The status speaks of an older spec until its controller has looked at this one. */
const isUnobserved = (live: JsonMap): boolean =>
  numberAt(live, 'status', 'observedGeneration') < numberAt(live, 'metadata', 'generation')

const wanted = (live: JsonMap): number => {
  const replicas = at(live, ['spec', 'replicas'])
  return typeof replicas === 'number' ? replicas : 1
}

export const deployment: Check = (live) => {
  if (isUnobserved(live)) return waiting('its controller has not seen this version yet')
  const progress = conditionOf(live, 'Progressing')
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(progress.message)
  const count = (field: string): number => numberAt(live, 'status', field)
  const replicas = wanted(live)
  if (count('updatedReplicas') < replicas)
    return waiting(`${count('updatedReplicas')} of ${replicas} replicas updated`)
  if (count('replicas') > count('updatedReplicas')) return waiting('old replicas are still ending')
  if (count('availableReplicas') < replicas)
    return waiting(`${count('availableReplicas')} of ${replicas} replicas available`)
  return READY
}

export const statefulSet: Check = (live) => {
  if (isUnobserved(live)) return waiting('its controller has not seen this version yet')
  const count = (field: string): number => numberAt(live, 'status', field)
  const replicas = wanted(live)
  if (count('readyReplicas') < replicas)
    return waiting(`${count('readyReplicas')} of ${replicas} replicas ready`)
  // With OnDelete the owner decides when a pod takes the new revision.
  if (at(live, ['spec', 'updateStrategy', 'type']) === 'OnDelete') return READY
  const partition = numberAt(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition')
  const due = Math.max(0, replicas - partition)
  if (count('updatedReplicas') < due)
    return waiting(`${count('updatedReplicas')} of ${due} replicas updated`)
  return READY
}

export const daemonSet: Check = (live) => {
  if (isUnobserved(live)) return waiting('its controller has not seen this version yet')
  const count = (field: string): number => numberAt(live, 'status', field)
  const desired = count('desiredNumberScheduled')
  const updated =
    at(live, ['spec', 'updateStrategy', 'type']) === 'OnDelete'
      ? desired
      : count('updatedNumberScheduled')
  if (updated < desired) return waiting(`${updated} of ${desired} pods updated`)
  if (count('numberAvailable') < desired)
    return waiting(`${count('numberAvailable')} of ${desired} pods available`)
  return READY
}

export const job: Check = (live) => {
  if (conditionOf(live, 'Complete')?.status === 'True') return READY
  const end = conditionOf(live, 'Failed')
  if (end?.status === 'True') return failed(`${end.reason}: ${end.message}`)
  if (at(live, ['spec', 'suspend']) === true) return READY
  return waiting(
    `${numberAt(live, 'status', 'active')} active, ${numberAt(live, 'status', 'failed')} failed`,
  )
}

export const pod: Check = (live) => {
  const phase = at(live, ['status', 'phase'])
  if (phase === 'Succeeded' || conditionOf(live, 'Ready')?.status === 'True') return READY
  if (phase === 'Failed') return failed('the pod failed')
  return waiting(
    conditionOf(live, 'Ready')?.message || `phase ${typeof phase === 'string' ? phase : 'Pending'}`,
  )
}
