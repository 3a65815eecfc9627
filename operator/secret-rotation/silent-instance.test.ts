import { describe, expect, it } from 'vitest'
import type { StateRecord } from './state.ts'
import { MemoryWorld } from './testkit/memory-world.ts'

const REPLICA = '192.0.2.9:5432'
const LEAK = { 'palisade.dev/leaked': 'pasted' }
const OVERLAP = { min: '10m', max: '1h', quiet: '2m', onMax: 'Hold' } as const
const isAt =
  (step: NonNullable<StateRecord['rotation']>['step']) =>
  ({ rotation }: StateRecord) =>
    rotation?.step === step

async function issued(change: Parameters<MemoryWorld['create']>[2] = {}): Promise<MemoryWorld> {
  const world = new MemoryWorld()
  world.create('orders', 'uid-1', { overlap: OVERLAP, ...change })
  await world.settle('orders')
  return world
}

/** As the queue does: a pass that failed is repeated a little later. Answers how long it failed. */
async function insistently(
  world: MemoryWorld,
  until: (record: StateRecord) => boolean,
): Promise<number> {
  let failedFor = 0
  for (let time = 0; time < 400; time += 1) {
    const outcome = await world.settle('orders', until).catch((error: unknown) => error)
    if (!(outcome instanceof Error)) return failedFor
    if (outcome.message.startsWith('not settled')) continue
    expect(outcome).toMatchObject({ code: 'ERR_BACKEND_UNREACHABLE' })
    world.now += 5_000
    failedFor += 5_000
  }
  throw new Error('it never went on')
}

const isDone = ({ rotation, current }: StateRecord) => rotation === null && current?.version === 2
const told = (world: MemoryWorld) =>
  world.events.filter(({ reason }) => reason === 'SessionsUnknown').map(({ note }) => note)

describe('an instance that gives no answer while the previous user is shut out', () => {
  it('holds up a leak for half a minute and not for ever, and is named', async () => {
    const world = await issued()
    world.database.silent = [REPLICA]
    world.annotate('orders', LEAK)
    expect(await insistently(world, isDone)).toBe(30_000)
    expect(world.database.roles['shop_a']).toMatchObject({ login: false, verifier: null })
    expect(told(world)).toEqual([expect.stringContaining(REPLICA)])
    const details = { role: 'shop_a', step: 'Terminate', cause: 'ERR_BACKEND_UNREACHABLE' }
    const { outbox } = world.record('orders')
    expect(outbox).toContainEqual(
      expect.objectContaining({
        action: 'rotation.disable',
        details: expect.objectContaining(details),
      }),
    )
  })

  it('does not keep a leak waiting that comes meanwhile', async () => {
    const world = await issued()
    world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
    await world.settle('orders', isAt('converge'))
    await shutOut(world)
    world.database.silent = [REPLICA]
    await expect(world.settle('orders')).rejects.toMatchObject({ code: 'ERR_BACKEND_UNREACHABLE' })
    world.annotate('orders', LEAK)
    const leakIsOver = ({ rotation, current }: StateRecord) =>
      rotation === null && current?.version === 3
    expect(await insistently(world, leakIsOver)).toBeLessThanOrEqual(60_000)
    for (const { login, verifier } of [world.database.roles['shop_b']].filter((role) => !!role))
      expect({ login, verifier }).toEqual({ login: false, verifier: null })
  })

  it('holds up a Revoke after overlap.max for half a minute', async () => {
    const world = await issued({ overlap: { ...OVERLAP, onMax: 'Revoke' } })
    world.database.silent = [REPLICA]
    world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
    expect(await insistently(world, isDone)).toBe(30_000)
    expect(told(world)).toHaveLength(1)
  })

  it('holds up every other rotation for ten minutes', async () => {
    const world = await issued()
    world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
    await world.settle('orders', isAt('converge'))
    await shutOut(world)
    world.database.silent = [REPLICA]
    expect(await insistently(world, isDone)).toBe(600_000)
  })

  it('is not told of when it answers in time', async () => {
    const world = await issued()
    world.database.silent = [REPLICA]
    world.annotate('orders', LEAK)
    await expect(world.settle('orders')).rejects.toMatchObject({ code: 'ERR_BACKEND_UNREACHABLE' })
    world.database.silent = []
    await world.settle('orders', isDone)
    expect(told(world)).toEqual([])
  })
})

/** Until the login is closed and the sessions are not ended yet. */
async function shutOut(world: MemoryWorld): Promise<void> {
  for (let pass = 0; pass < 50; pass += 1) {
    if (isAt('terminate')(world.record('orders'))) return
    const next = await world.pass('orders')
    if (next.kind === 'after') world.now += Math.min(next.ms, 60_000)
  }
  throw new Error('the previous user was not shut out')
}

describe('a release while an instance gives no answer', () => {
  it('ends after ten minutes with Revoke, its users closed and given back', async () => {
    const world = await issued({ deletionPolicy: 'Revoke' })
    world.database.silent = [REPLICA]
    const from = world.now
    await world.remove('orders', 100)
    expect(world.now - from).toBe(600_000)
    expect(world.database.owner).toBeNull()
    expect(world.database.roles['shop_a']).toMatchObject({ login: false, verifier: null })
    expect(world.record('orders').released?.policy).toBe('Revoke')
    expect(told(world)).not.toEqual([])
  })

  it('ends within a minute with Retain, and orphans nothing', async () => {
    const world = await issued()
    world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
    await world.settle('orders', isAt('converge'))
    world.database.silent = [REPLICA]
    const from = world.now
    await world.remove('orders', 100)
    expect(world.now - from).toBe(60_000)
    expect(world.database.owner).toBeNull()
    expect(world.events.map(({ reason }) => reason)).not.toContain('Orphaned')
  })
})
