import { setTimeout as sleep } from 'node:timers/promises'
import type { TestApiServer } from './apiserver.ts'

interface Template {
  readonly metadata?: {
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly spec: object
}

interface Deployment {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: { readonly template: Template }
}

export interface PodKeeper {
  /** The Pods of a Deployment keep failing, until they recover. */
  ail(deployment: string): Promise<void>
  recover(deployment: string): Promise<void>
  /** Pods of a Deployment that carry this version never become Ready. */
  sicken(deployment: string, annotation: string, version: string): void
  stop(): Promise<void>
}

/**
 * What the controllers and the kubelet would do to a Deployment, as far as its one Pod shows it: a changed template
 * brings a new ReplicaSet and a new Ready Pod, and the old one goes.
 */
export function keepPods(api: TestApiServer, namespace: string): PodKeeper {
  let stopped = false
  const made = new Map<string, string>()
  const sick = new Map<string, readonly [annotation: string, version: string]>()
  let counter = 0

  async function turn(): Promise<void> {
    const answer = await api.get(`/apis/apps/v1/namespaces/${namespace}/deployments`)
    for (const deployment of (answer.body['items'] ?? []) as Deployment[]) {
      const { name } = deployment.metadata
      const wanted = JSON.stringify(deployment.spec.template.metadata?.annotations ?? {})
      if (made.get(name) === wanted) continue
      await replacePod(deployment, `${name}-${(counter += 1)}`)
      made.set(name, wanted)
    }
  }

  async function replacePod({ metadata, spec }: Deployment, name: string): Promise<void> {
    const pods = `/api/v1/namespaces/${namespace}/pods`
    const old = await api.get(`${pods}?labelSelector=app=${metadata.name}`)
    const owner = (kind: string, of: { name: string; uid: string }) => [
      { apiVersion: 'apps/v1', kind, name: of.name, uid: of.uid, controller: true },
    ]
    const set = await api.post(`/apis/apps/v1/namespaces/${namespace}/replicasets`, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace, ownerReferences: owner('Deployment', metadata) },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: metadata.name } },
        template: spec.template,
      },
    })
    const { uid } = api.expectOk(set)['metadata'] as { uid: string }
    api.expectOk(
      await api.post(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...spec.template.metadata,
          name,
          namespace,
          ownerReferences: owner('ReplicaSet', { name, uid }),
        },
        spec: spec.template.spec,
      }),
    )
    const [annotation = '', version = ''] = sick.get(metadata.name) ?? []
    const ails = version !== '' && spec.template.metadata?.annotations?.[annotation] === version
    await setStatus(name, !ails)
    for (const pod of (old.body['items'] ?? []) as Deployment[]) {
      await api.ask('DELETE', `${pods}/${pod.metadata.name}?gracePeriodSeconds=0`)
    }
  }

  async function setStatus(pod: string, well: boolean): Promise<void> {
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const ready = { type: 'Ready', status: well ? 'True' : 'False', lastTransitionTime: at }
    const waiting = { reason: 'CrashLoopBackOff', message: 'by the test' }
    const main = { name: 'main', image: 'consumer:1', imageID: '', ready: well, restartCount: 0 }
    const status = {
      phase: 'Running',
      podIP: '10.244.0.9',
      conditions: [ready],
      containerStatuses: [{ ...main, state: well ? {} : { waiting } }],
    }
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/status`
    api.expectOk(await api.mergePatch(path, { status }))
  }

  async function setStatusOf(deployment: string, well: boolean): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app=${deployment}`
    const { body } = await api.get(path)
    for (const pod of (body['items'] ?? []) as Deployment[])
      await setStatus(pod.metadata.name, well)
  }

  const running = (async () => {
    while (!stopped) {
      await turn()
      await sleep(50)
    }
  })()
  return {
    ail: (deployment) => setStatusOf(deployment, false),
    sicken: (deployment, annotation, version) => void sick.set(deployment, [annotation, version]),
    recover: (deployment) => setStatusOf(deployment, true),
    async stop() {
      stopped = true
      await running
    },
  }
}

/** A Deployment that reads the Secret from its environment. */
export const consumer = (name: string, namespace: string, secret: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'consumer:1',
            env: [
              {
                name: 'DB_PASSWORD',
                valueFrom: { secretKeyRef: { name: secret, key: 'password' } },
              },
            ],
          },
        ],
      },
    },
  },
})
