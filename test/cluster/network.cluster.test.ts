import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyAll, kubectl, kubectlJson, readyPods } from '../support/cluster.ts'
import { startProbes, stopProbes } from '../support/probe-pods.ts'
import { type Attempt, type Outcome, pidsOf, reach } from '../support/reach.ts'
import { exampleGround } from './network/example-rows.ts'
import { ON_NODE, OUTSIDE, PODS, PROBES } from './network/peers.ts'
import type { Try } from './network/row.ts'
import { ROWS } from './network/rows.ts'

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OUTSIDE } }

interface Place {
  readonly address: string
  readonly uid?: string
}

async function places(): Promise<Map<string, Place>> {
  const [pods, probes, nodes] = await Promise.all([
    Promise.all(
      Object.entries(PODS).map(async ([peer, [namespace, selector]]) => {
        const [pod] = await readyPods(namespace, selector)
        return [peer, pod] as const
      }),
    ),
    Promise.all(
      Object.entries(PROBES).map(async ([peer, { namespace, name }]) => {
        const found = await readyPods(namespace, 'palisade.dev/probe')
        return [peer, found.find((pod) => pod.metadata.name === name)] as const
      }),
    ),
    kubectlJson<{ items: { status: { addresses: { type: string; address: string }[] } }[] }>(
      'get',
      'nodes',
    ),
  ])
  const node = nodes.items[0]?.status.addresses.find(({ type }) => type === 'InternalIP')
  if (node === undefined) throw new Error('the node tells no address')
  return new Map<string, Place>([
    ...[...pods, ...probes].map(([peer, pod]): [string, Place] => {
      if (pod?.status.podIP === undefined) throw new Error(`no Pod of ${peer} is Ready`)
      return [peer, { address: pod.status.podIP, uid: pod.metadata.uid }]
    }),
    ...ON_NODE.map((name): [string, Place] => [name, { address: node.address }]),
  ])
}

function parse(text: string): { from: string; to: string; port: number; protocol: 'tcp' | 'udp' } {
  const [, from = '', to = '', port, udp] = /^(\w+) -> (\w+):(\d+)(\/udp)?$/.exec(text) ?? []
  return { from, to, port: Number(port), protocol: udp === undefined ? 'tcp' : 'udp' }
}

/** The same target asked from the node: a denial says something only of a target that answers. */
const control = (attempt: Try): string => attempt.replace(/^\w+/, 'node')

/** A port of the table where nobody listens yet refuses by itself: no policy dropped the question. */
const reached = (outcome: Outcome | undefined): boolean =>
  outcome === 'open' || outcome === 'refused'

const outcomes = new Map<string, Outcome>()

beforeAll(async () => {
  await applyAll([NAMESPACE, ...(await exampleGround())])
  await startProbes(Object.values(PROBES))
  const known = await places()
  const uids = [...known.values()].flatMap(({ uid }) => (uid === undefined ? [] : [uid]))
  const pids = await pidsOf(uids)
  const tries = [
    ...new Set([
      ...ROWS.flatMap(({ allowed, denied }) => [...allowed, ...denied]),
      ...ROWS.flatMap(({ denied }) => denied.map(control)),
    ]),
  ]
  const attempts = tries.map((text): Attempt => {
    const { from, to, port, protocol } = parse(text)
    const target = known.get(to)
    const pid = pids.get(known.get(from)?.uid ?? '')
    if (target === undefined) throw new Error(`${text}: nobody is called ${to}`)
    if (pid === undefined && from !== 'node') throw new Error(`${text}: no process of ${from}`)
    return { host: target.address, port, protocol, ...(pid === undefined ? {} : { pid }) }
  })
  const ask = async (which: readonly string[]) => {
    const found = await reach(which.map((text) => attempts[tries.indexOf(text)]!))
    which.forEach((text, index) => outcomes.set(text, found[index] ?? 'unreachable'))
  }
  await ask(tries)
  // All at once they keep this machine so busy that one may be late which nothing forbids; what forbids it does so again.
  const denied = new Set<string>(ROWS.flatMap((row) => row.denied))
  const late = () => tries.filter((text) => !reached(outcomes.get(text)))
  await ask(late())
  const unexplained = () => late().filter((text) => !denied.has(text))
  for (let again = 0; unexplained().length > 0 && again < 2; again += 1) await ask(unexplained())
})

afterAll(async () => {
  const elsewhere = Object.values(PROBES).filter(({ namespace }) => namespace !== OUTSIDE)
  await Promise.all([
    stopProbes(elsewhere),
    kubectl('delete', 'namespace', OUTSIDE, '--ignore-not-found'),
  ])
})

describe.each(ROWS)('$policy', ({ allowed, denied }) => {
  it.each(allowed.map((attempt) => ({ attempt })))('lets $attempt through', ({ attempt }) => {
    expect(outcomes.get(attempt)).toSatisfy(reached)
  })

  it.each(denied.map((attempt) => ({ attempt })))('denies $attempt', ({ attempt }) => {
    expect(outcomes.get(control(attempt)), 'the target answers the node').toSatisfy(reached)
    expect(outcomes.get(attempt)).toBe('denied')
  })
})

describe('the table', () => {
  it('has a row with an allowed and a denied connection for each NetworkPolicy that there is', async () => {
    const { items } = await kubectlJson<{
      items: { metadata: { name: string; namespace: string } }[]
    }>('get', 'networkpolicies', '-A')
    const existing = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    expect(ROWS.map(({ policy }) => policy).toSorted()).toEqual(existing.toSorted())
    for (const { allowed, denied } of ROWS) {
      expect(allowed.length).toBeGreaterThan(0)
      expect(denied.length).toBeGreaterThan(0)
    }
  })
})
