import { ANNOTATION_ACKNOWLEDGED_PREFIX, templateAnnotation } from '#api/v1alpha1/names'
import type { Consumer, ConsumerPod, Consumers, ConsumerSearch, WorkloadKind } from '../ports.ts'
import { MERGE_PATCH, type ApiClient } from '../runtime/api-client.ts'
import { ApiError, isNotFound, lacksRight } from '../runtime/api-error.ts'
import { listInPages } from '../runtime/listing.ts'
import type { KubeObject, OwnerReference } from '../runtime/types.ts'
import { readsSecret, type PodSpec } from './secret-references.ts'

interface Pod extends KubeObject {
  readonly spec: PodSpec
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly lastTransitionTime?: string
    }[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly state?: { readonly waiting?: { readonly reason?: string } }
}

interface Workload extends KubeObject {
  readonly spec: {
    readonly minReadySeconds?: number
    readonly template: { readonly metadata?: { readonly annotations?: Record<string, string> } }
  }
}

const PLURAL: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
}
const TROUBLE = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'ErrImagePull',
  'ImagePullBackOff',
])

const isWorkload = (kind: string): kind is WorkloadKind => kind in PLURAL
const apps = (namespace: string, plural: string, name: string) =>
  `/apis/apps/v1/namespaces/${namespace}/${plural}/${name}`

export function createConsumers(client: ApiClient): Consumers {
  async function readOrUndefined<T>(path: string, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await client.call<T>('GET', path, { signal })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** A Deployment owns its pods through a ReplicaSet; everything else that matters owns them itself. */
  async function ownerOf(
    namespace: string,
    pod: Pod,
    signal: AbortSignal,
    seen: Map<string, OwnerReference>,
  ) {
    const direct = pod.metadata.ownerReferences?.find(({ controller }) => controller)
    if (direct?.kind !== 'ReplicaSet') return direct
    const known = seen.get(direct.name)
    if (known) return known
    const path = apps(namespace, 'replicasets', direct.name)
    const set = await readOrUndefined<KubeObject>(path, signal)
    const owner = set?.metadata.ownerReferences?.find(({ controller }) => controller) ?? direct
    seen.set(direct.name, owner)
    return owner
  }

  async function groupPods(
    search: ConsumerSearch,
    signal: AbortSignal,
  ): Promise<Map<string, Pod[]>> {
    const { namespace, extra } = search
    const path = `/api/v1/namespaces/${namespace}/pods`
    const { items } = await listInPages<Pod>(client, path, { signal })
    const seen = new Map<string, OwnerReference>()
    const groups = new Map<string, Pod[]>()
    for (const { kind, name } of extra) groups.set(`${kind}/${name}`, [])
    for (const pod of items) {
      const owner = await ownerOf(namespace, pod, signal, seen)
      if (hasEnded(pod) || !concerns(pod, owner, search)) continue
      const known = owner && isWorkload(owner.kind)
      const group = known ? `${owner.kind}/${owner.name}` : `Pod/${pod.metadata.name}`
      groups.set(group, [...(groups.get(group) ?? []), pod])
    }
    return groups
  }

  return {
    async find(search, signal) {
      const consumers: Consumer[] = []
      for (const [group, pods] of await groupPods(search, signal)) {
        const [kind = '', name = ''] = group.split('/')
        const workload = isWorkload(kind)
          ? await readOrUndefined<Workload>(apps(search.namespace, PLURAL[kind], name), signal)
          : undefined
        const described = pods.map((pod) => describePod(pod, search.secret))
        const facts =
          workload && isWorkload(kind) ? { kind, ...factsOf(workload, search.secret) } : BARE
        consumers.push({ ...facts, name, pods: described })
      }
      return consumers
    },

    async patch(patch, signal) {
      const body = {
        metadata: { resourceVersion: patch.resourceVersion, annotations: patch.annotations },
        spec: { template: { metadata: { annotations: patch.templateAnnotations } } },
      }
      try {
        await client.call('PATCH', apps(patch.namespace, PLURAL[patch.kind], patch.name), {
          body,
          contentType: MERGE_PATCH,
          signal,
        })
        return 'patched'
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.status === 404) return 'gone'
        if (error.status === 409) return 'stale'
        if (lacksRight(error, patch.namespace)) throw error
        if (error.status === 403 || error.status === 422) return { refused: error.message }
        throw error
      }
    },
  }
}

const hasEnded = (pod: Pod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function concerns(pod: Pod, owner: OwnerReference | undefined, search: ConsumerSearch): boolean {
  const { discover, extra, secret } = search
  if (discover && readsSecret(pod.spec, secret)) return true
  return extra.some(({ kind, name }) => kind === owner?.kind && name === owner.name)
}

const BARE = {
  kind: 'Pod',
  resourceVersion: undefined,
  minReadySeconds: 0,
  templateVersion: undefined,
  annotations: {},
} as const

const factsOf = ({ metadata, spec }: Workload, secret: string) => ({
  resourceVersion: metadata.resourceVersion,
  minReadySeconds: spec.minReadySeconds ?? 0,
  templateVersion: spec.template.metadata?.annotations?.[templateAnnotation(secret)],
  annotations: metadata.annotations ?? {},
})

function describePod({ metadata, status }: Pod, secret: string): ConsumerPod {
  const notes = metadata.annotations ?? {}
  return {
    name: metadata.name,
    ...(status?.podIP === undefined ? {} : { address: status.podIP }),
    version: notes[templateAnnotation(secret)],
    acknowledged: notes[ANNOTATION_ACKNOWLEDGED_PREFIX + secret],
    createdAt: metadata.creationTimestamp ?? '',
    ...readiness(status),
    terminating: metadata.deletionTimestamp !== undefined,
    trouble: troubleOf(status),
  }
}

function readiness(status: Pod['status']) {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const since = ready?.lastTransitionTime
  return ready?.status === 'True'
    ? { readySince: since, notReadySince: undefined }
    : { readySince: undefined, notReadySince: since }
}

const troubleOf = (status: Pod['status']): string | undefined =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .map(({ state }) => state?.waiting?.reason ?? '')
    .find((reason) => TROUBLE.has(reason))
