import { readFileSync } from 'node:fs'
import { referencesPath } from '../../local/images/ensure.ts'
import { stateDir } from '../../local/paths.ts'
import { applyAll, kubectl } from './cluster.ts'

/** A Pod that only lends its place in the network and its labels; `listen` makes it answer on ports. */
export interface ProbePod {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly listen?: readonly number[]
}

const MARK = { 'palisade.dev/probe': 'network' }

const images = () =>
  JSON.parse(readFileSync(referencesPath(stateDir()), 'utf8')) as { pause: string; control: string }

const program = (listen: readonly number[] | undefined): object =>
  listen === undefined
    ? { image: images().pause }
    : {
        image: images().control,
        command: [
          'node',
          '-e',
          `for (const port of [${listen.join()}]) require('net').createServer((s) => s.end()).listen(port)`,
        ],
      }

const podOf = ({ name, namespace, labels, listen }: ProbePod): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { ...labels, ...MARK } },
  spec: {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'probe',
        ...program(listen),
        resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '128Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
})

const namespacesOf = (pods: readonly ProbePod[]): readonly string[] => [
  ...new Set(pods.map(({ namespace }) => namespace)),
]

export async function startProbes(pods: readonly ProbePod[]): Promise<void> {
  await applyAll(pods.map(podOf))
  const ready = ['--for=condition=Ready', 'pod', '-l', 'palisade.dev/probe', '--timeout=120s']
  await Promise.all(
    namespacesOf(pods).map((namespace) => kubectl('wait', '-n', namespace, ...ready)),
  )
}

export async function stopProbes(pods: readonly ProbePod[]): Promise<void> {
  const all = ['delete', 'pod', '-l', 'palisade.dev/probe', '--ignore-not-found', '--wait=true']
  await Promise.all(namespacesOf(pods).map((namespace) => kubectl(...all, '-n', namespace)))
}
