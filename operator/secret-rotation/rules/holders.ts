import type { Holder } from '#api/v1alpha1/secret-rotation-status'
import type { Consumer, DatabaseSession, RefusedClient } from '../../ports.ts'

const MOST_NAMED = 20

/** By address: who has sessions of the previous user. */
export function holdersOf(
  sessions: readonly DatabaseSession[],
  consumers: readonly Consumer[],
): readonly Holder[] {
  const pods = podsByAddress(consumers)
  const byAddress = new Map<string, DatabaseSession[]>()
  for (const session of sessions) {
    byAddress.set(session.address, [...(byAddress.get(session.address) ?? []), session])
  }
  return [...byAddress].slice(0, MOST_NAMED).map(([address, held]) => {
    const application = held[0]?.application
    return {
      ...at(address, pods),
      ...(application ? { application: application.slice(0, 128) } : {}),
      sessions: held.length,
    }
  })
}

/** Who was turned away while the user was disabled. */
export function refusedHolders(
  clients: readonly RefusedClient[],
  consumers: readonly Consumer[],
): readonly Holder[] {
  const pods = podsByAddress(consumers)
  return clients
    .slice(0, MOST_NAMED)
    .map(({ address, count }) => ({ ...at(address, pods), sessions: 0, refused: count }))
}

export const namesOf = (holders: readonly Holder[]): string =>
  holders.map(({ pod, address }) => (pod ? `pod ${pod}` : address)).join(', ')

function at(address: string, pods: ReadonlyMap<string, string>) {
  const pod = pods.get(address)
  return { address, ...(pod === undefined ? {} : { pod }) }
}

const podsByAddress = (consumers: readonly Consumer[]): ReadonlyMap<string, string> =>
  new Map(
    consumers.flatMap(({ pods }) =>
      pods.flatMap(({ address, name }) => (address ? [[address, name] as const] : [])),
    ),
  )
