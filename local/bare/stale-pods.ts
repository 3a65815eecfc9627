import type { V1Pod } from '@kubernetes/client-node'
import type { KubeApi } from '../provider/kubernetes/api.ts'

/**
 * Pods that claim to run containers which were started before this node was: the API server keeps the
 * last status it was told, and after a crash that is the status of processes which no longer exist.
 */
export function stalePods(pods: readonly V1Pod[], since: string): string[] {
  // The kubelet writes whole seconds.
  const start = Math.floor(Date.parse(since) / 1000) * 1000
  const isStale = (pod: V1Pod): boolean =>
    (pod.status?.containerStatuses ?? []).some(({ state }) => {
      const startedAt = state?.running?.startedAt
      return startedAt !== undefined && new Date(startedAt).getTime() < start
    })
  return pods
    .filter((pod) => isStale(pod))
    .map(({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`)
}

/** Undefined for "not yet", as `until` expects. */
export async function noPodIsFromBefore(api: KubeApi, since: string): Promise<true | undefined> {
  const pods = (await api.listAll('v1', 'Pod')) as unknown as V1Pod[]
  return stalePods(pods, since).length === 0 ? true : undefined
}
