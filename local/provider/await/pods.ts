import type { KubeApi } from '../kubernetes/api.ts'
import { conditionOf, nameOf, namespaceOf } from '../kubernetes/object.ts'
import { at, isMap, text, type Json, type JsonMap } from '../values.ts'

const maps = (value: Json | undefined): JsonMap[] =>
  Array.isArray(value) ? value.filter(isMap) : []

// States every healthy start passes through.
const ORDINARY = new Set(['ContainerCreating', 'PodInitializing', 'Completed'])

function containerProblem(status: JsonMap): string | undefined {
  const name = text(status.name) ?? '?'
  const ended = (where: 'state' | 'lastState'): string | undefined => {
    const end = at(status, [where, 'terminated'])
    if (!isMap(end) || end.exitCode === 0) return undefined
    return [text(end.reason), `exit code ${JSON.stringify(end.exitCode ?? 0)}`, text(end.message)]
      .filter(Boolean)
      .join(', ')
  }
  const waiting = at(status, ['state', 'waiting'])
  const reason = text(at(waiting, ['reason']))
  if (reason !== undefined && !ORDINARY.has(reason)) {
    const why = [text(at(waiting, ['message'])), ended('lastState')]
      .filter(Boolean)
      .join('; last end: ')
    return `container "${name}": ${reason}${why ? `: ${why}` : ''}`
  }
  const end = ended('state')
  return end === undefined ? undefined : `container "${name}" ended: ${end}`
}

/** Why a pod is not serving, if something other than time is needed. */
export function podProblem(pod: JsonMap): string | undefined {
  const name = nameOf(pod) ?? '?'
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return `pod ${name} is not scheduled: ${scheduled.message}`
  const statuses = [
    ...maps(at(pod, ['status', 'initContainerStatuses'])),
    ...maps(at(pod, ['status', 'containerStatuses'])),
  ]
  const problem = statuses.map(containerProblem).find(Boolean)
  return problem === undefined ? undefined : `pod ${name}: ${problem}`
}

/** Problems of the pods that a workload selects. */
export async function podProblems(workload: JsonMap, api: KubeApi): Promise<string[]> {
  if (workload.kind === 'Pod') return [podProblem(workload)].filter((one) => one !== undefined)
  const labels = at(workload, ['spec', 'selector', 'matchLabels'])
  if (!isMap(labels)) return []
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${text(value) ?? ''}`)
    .join(',')
  const pods = await api.list('v1', 'Pod', namespaceOf(workload) ?? '', selector)
  return pods.map(podProblem).filter((one) => one !== undefined)
}
