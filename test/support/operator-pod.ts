import { setTimeout as sleep } from 'node:timers/promises'
import { apply, kubectl, kubectlJson } from './cluster.ts'
import { type Followed, followLog } from './followed-log.ts'

const SYSTEM = ['-n', 'palisade-system'] as const
const MARK = { 'palisade.dev/test': 'operator' }
/** One that is forgotten, because its test was killed itself, ends all the same, and the platform's own go on. */
const LIVES_SECONDS = 900

/**
 * As a container that is started again, each time with the next place. The first one, which ends by itself, leaves
 * compiled code behind for the others: one that is killed leaves none. One that is stopped comes back to its effect: had
 * it to look after the lease as well, it would sometimes see first that it leads no more, and end.
 */
const ONE_AFTER_ANOTHER = `
PALISADE_CLUSTER_ID= node operator/main.ts > /dev/null 2>&1
echo "begins"
for place in $PLACES; do
  case $place in *:stop) export PALISADE_LEASE_RETRY=10m ;; esac
  PALISADE_FAILPOINT=$place node operator/main.ts
  echo "ended with $?"
done
exec sleep infinity`

const SETTINGS = {
  // More often and faster than anybody needs, so that a test is short.
  PALISADE_POLL: '500ms',
  PALISADE_LEASE_RETRY: '300ms',
  NODE_COMPILE_CACHE: '/tmp/compiled',
  // The next process has it in any case: however slow its start is, nobody else goes on in between.
  PALISADE_LEASE_DURATION: '2m',
}

/** What a shell says of a process that SIGKILL has ended. */
export const KILLED = '137'

/** Of a processor. What starts that often beside tests that compute would get the share of a program that waits. */
const SHARE = '600m'

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: { readonly containers: readonly [Container] }
    }
  }
}
interface Container {
  readonly env: readonly object[]
  readonly readinessProbe?: object
  readonly livenessProbe?: object
  readonly resources: { readonly requests: object; readonly limits: object }
}

/** The platform's own operator in one more Pod, where its processes are killed or stopped one after another. */
export class OperatorPod {
  /** Under which each of its processes holds the lease. */
  readonly name: string
  readonly #log: Followed<string>

  private constructor(name: string, log: Followed<string>) {
    this.name = name
    this.#log = log
  }

  /**
   * Image, account, rights, files and network are those of the Deployment. It leads once it is given the lease.
   * @param places what each of its processes is armed with, in order
   */
  static async start(name: string, places: readonly string[]): Promise<OperatorPod> {
    await apply(JSON.stringify(await manifest(name, places)))
    await kubectl(...SYSTEM, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s')
    return new OperatorPod(name, await followLog([...SYSTEM, name], (line) => line, 'the start'))
  }

  /** `<place>: <act>` of each process that has come to its place. */
  get reached(): readonly string[] {
    return this.#found(/^failpoint (.+)$/)
  }

  /** Exit code of each process that has ended. */
  get ended(): readonly string[] {
    return this.#found(/^ended with (\d+)$/)
  }

  /** Waits until so many processes have come to their places. */
  async untilReached(count: number, withinMs: number): Promise<void> {
    const end = Date.now() + withinMs
    while (this.reached.length < count) {
      const endedByItself = this.ended.some((code) => code !== KILLED)
      if (endedByItself || Date.now() > end) {
        const last = this.#log.records().slice(-5).join('\n')
        throw new Error(`${this.name} came to ${this.reached.length} of ${count} places:\n${last}`)
      }
      await sleep(100)
    }
  }

  /** Lets a process that stopped itself go on: all but the first, which is the shell. */
  async resume(): Promise<void> {
    await kubectl(...SYSTEM, 'exec', this.name, '--', 'sh', '-c', 'kill -CONT -1')
  }

  /** Follows its log no longer. */
  stop(): void {
    this.#log.stop()
  }

  #found(pattern: RegExp): readonly string[] {
    return this.#log.records().flatMap((line) => pattern.exec(line)?.[1] ?? [])
  }
}

async function manifest(name: string, places: readonly string[]): Promise<object> {
  const { spec } = await kubectlJson<Deployment>('get', 'deploy', 'operator', ...SYSTEM)
  const { metadata, spec: pod } = spec.template
  const { readinessProbe: _ready, livenessProbe: _live, ...container } = pod.containers[0]
  const added = Object.entries({ ...SETTINGS, PLACES: places.join(' ') })
  const { requests, limits } = container.resources
  const resources = { limits, requests: { ...requests, cpu: SHARE } }
  const env = [...container.env, ...added.map(([key, value]) => ({ name: key, value }))]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'palisade-system', labels: { ...metadata.labels, ...MARK } },
    spec: {
      ...pod,
      restartPolicy: 'Never',
      activeDeadlineSeconds: LIVES_SECONDS,
      terminationGracePeriodSeconds: 1,
      containers: [{ ...container, command: ['sh', '-c', ONE_AFTER_ANOTHER], env, resources }],
    },
  }
}

/** Takes them away, dead, alive or stopped. */
export async function removeOperatorPods(): Promise<void> {
  const marked = Object.entries(MARK).map(([key, value]) => `${key}=${value}`)
  await kubectl(...SYSTEM, 'delete', 'pod', '-l', marked.join(), '--grace-period=1')
}
