import { describe, expect, it } from 'vitest'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import { keyOf } from '../runtime/types.ts'
import { MemoryWorld } from './testkit/memory-world.ts'
import { NOON, observed, session } from './testkit/observed.ts'
import { Turns, type TurnStanding } from './turns.ts'

const MINUTE = 60_000
const rotation = (name: string) => ({ namespace: 'shop', name })

const conditions = [
  {
    ...{ type: 'Reconciling', status: 'True' as const, reason: 'Rotating', message: '' },
    lastTransitionTime: NOON.toISOString(),
  },
]

function turns() {
  const called: string[] = []
  const clock = { now: NOON.getTime() }
  const known = new Turns(() => clock.now)
  known.onTurn((key) => called.push(keyOf(key)))
  const note = (name: string, is: TurnStanding['is'], backend = 'main') =>
    known.note(rotation(name), backend, is === 'moving' ? { is, since: clock.now } : { is })
  const ahead = (name: string, backend = 'main') => known.ahead(rotation(name), backend)
  return { known, called, clock, note, ahead }
}

describe('Turns', () => {
  it('counts who moves at the same backend, and not the one that asks', () => {
    const { note, ahead } = turns()
    note('a', 'moving')
    note('b', 'moving')
    note('elsewhere', 'moving', 'other')
    note('c', 'resting')
    expect([ahead('a'), ahead('c'), ahead('c', 'other')]).toEqual([1, 2, 1])
  })

  it('lets nobody overtake who has waited longer', () => {
    const { note, ahead } = turns()
    note('a', 'moving')
    for (const name of ['b', 'c', 'b']) note(name, 'waiting')
    expect([ahead('b'), ahead('c'), ahead('newcomer')]).toEqual([1, 2, 3])
    note('a', 'resting')
    expect([ahead('b'), ahead('c'), ahead('newcomer')]).toEqual([0, 1, 2])
  })

  it('calls whoever is next when one gives way, takes its place, fails or goes', () => {
    const { known, called, note } = turns()
    note('a', 'moving')
    for (const name of ['b', 'c', 'd', 'e', 'f']) note(name, 'waiting')
    note('g', 'waiting', 'other')
    expect(called).toEqual([])
    note('a', 'resting')
    note('b', 'moving')
    known.leave(rotation('c'))
    known.forget(rotation('d'))
    note('e', 'resting')
    expect(called).toEqual(['shop/b', 'shop/c', 'shop/d', 'shop/e', 'shop/f'])
  })

  it('waits for none longer than a quarter of an hour', () => {
    const { note, ahead, clock } = turns()
    note('a', 'moving')
    clock.now += 15 * MINUTE - 1
    expect(ahead('b')).toBe(1)
    clock.now += 1
    expect(ahead('b')).toBe(0)
  })

  it('knows from the status who was on the way, until a pass has looked', () => {
    const { known, note, ahead } = turns()
    const { rotation: object } = observed()
    const learn = (status: SecretRotationStatus): void => known.learn({ ...object, status })
    learn({ step: 'Publish', version: 1, conditions })
    expect(ahead('other')).toBe(1)
    learn({ step: 'Watch', version: 2, conditions })
    expect(ahead('other')).toBe(0)
    learn({ step: 'Publish', conditions })
    expect(ahead('other')).toBe(0)
    note(object.metadata.name, 'resting')
    learn({ step: 'Publish', version: 1, conditions })
    expect(ahead('other')).toBe(0)
  })

  it('counts none that is being deleted, though its status stays where the rotation stood', () => {
    const { known, ahead } = turns()
    const { rotation: object } = observed()
    const status: SecretRotationStatus = { step: 'Publish', version: 1, conditions }
    known.forget(rotation(object.metadata.name))
    const metadata = { ...object.metadata, deletionTimestamp: NOON.toISOString() }
    known.learn({ ...object, metadata, status })
    expect(ahead('other')).toBe(0)
  })
})

const NOW = { 'palisade.dev/rotate-now': 'now' }

/** Two resources of one process at a backend that lets one of them move. */
async function two() {
  const shared = new Turns(() => orders.now)
  const orders: MemoryWorld = new MemoryWorld(shared)
  const cart = new MemoryWorld(shared)
  for (const [name, world] of [
    ['orders', orders],
    ['cart', cart],
  ] as const) {
    world.create(name, `uid-${name}`)
    await world.settle(name)
    world.backend = {
      ...world.backend,
      spec: { ...world.backend?.spec, maxConcurrent: 1 },
    } as RotationBackend
    world.annotate(name, NOW)
  }
  return { orders, cart }
}
const isRunning = (world: MemoryWorld, name: string) => world.record(name).rotation !== null

describe('reconcile, with spec.maxConcurrent 1', () => {
  it('begins one of two rotations that two workers decide about at the same moment', async () => {
    const { orders, cart } = await two()
    await Promise.all([orders.pass('orders'), cart.pass('cart')])
    expect([isRunning(orders, 'orders'), isRunning(cart, 'cart')]).toEqual([true, false])
    const [ready, reconciling] = cart.resource('cart').status?.conditions ?? []
    expect(ready).toMatchObject({ status: 'True', reason: 'WaitingForTurn' })
    expect(reconciling).toMatchObject({ type: 'Reconciling', status: 'False' })
  })

  it('begins the other once the consumers of the first have switched, though its previous user is watched', async () => {
    const { orders, cart } = await two()
    orders.database.open = [session('192.0.2.1')]
    await orders.settle('orders', ({ rotation }) => rotation?.step === 'converge')
    await cart.settle('cart')
    expect(cart.record('cart').current?.version).toBe(1)
    orders.database.open = []
    await orders.settle('orders', ({ rotation }) => rotation?.quietSince !== undefined)
    expect(isRunning(orders, 'orders')).toBe(true)
    await cart.settle('cart')
    expect(cart.record('cart').current?.version).toBe(2)
  })

  it('gives the place to the next when the resource that had it is deleted', async () => {
    const { orders, cart } = await two()
    await orders.pass('orders')
    await cart.pass('cart')
    await orders.remove('orders')
    await cart.settle('cart')
    expect(cart.record('cart').current?.version).toBe(2)
  })
})
