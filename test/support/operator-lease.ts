import { until } from './child.ts'
import { kubectl, readyPods } from './cluster.ts'

const SYSTEM = ['-n', 'palisade-system'] as const
const LEASE = [...SYSTEM, 'lease', 'palisade-operator'] as const
const WITHIN_MS = 60_000

/** Under whose name the lease stands. */
export const leader = (): Promise<string> =>
  kubectl('get', ...LEASE, '-o', 'jsonpath={.spec.holderIdentity}')

/** From one that is stopped or gone, whose time would be waited for. An empty name lets whoever comes first have it. */
export async function giveLease(to: string): Promise<void> {
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  // Until it has renewed it itself, nobody else takes it, however slow its start is.
  const spec = { holderIdentity: to, renewTime, leaseDurationSeconds: 120 }
  await kubectl('patch', ...LEASE, '--type=merge', '-p', JSON.stringify({ spec }))
}

/** From one that works: it is waited for until it has seen that it leads no more, for which it ends and starts anew. */
export async function takeLease(to: string): Promise<void> {
  const former = await leader()
  const ends = () =>
    kubectl(
      ...['get', 'pod', former, ...SYSTEM, '--ignore-not-found'],
      ...['-o', 'jsonpath={.status.containerStatuses[0].restartCount}'],
    )
  const before = await ends()
  await giveLease(to)
  await until(`the end of ${former}`, WITHIN_MS, async () => (await ends()) !== before)
}

/** A Pod of the platform's own Deployment; those of tests are called otherwise. */
export async function ownOperator(): Promise<string> {
  const pods = await readyPods('palisade-system', 'app.kubernetes.io/name=operator')
  const own = pods.map(({ metadata }) => metadata.name).find((name) => isOwn(name))
  if (own === undefined) throw new Error('no operator of the platform is Ready')
  return own
}

/** The platform's own lead again, whoever held the lease before. */
export async function ownOperatorLeads(): Promise<void> {
  if (!isOwn(await leader())) await giveLease('')
  await until('the lead of an operator of the platform', WITHIN_MS, async () =>
    isOwn(await leader()),
  )
}

const isOwn = (name: string): boolean => name.startsWith('operator-')
