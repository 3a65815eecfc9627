import { describe, expect, it } from 'vitest'
import { ANNOTATION_ABANDON } from '#api/v1alpha1/names'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { AGAIN, REST } from '../runtime/controller.ts'
import { MemoryWorld } from './testkit/memory-world.ts'

type Policy = SecretRotation['spec']['deletionPolicy']

/** Version 1 is issued, and the resource has been going for so long. */
async function going(deletionPolicy: Policy, seconds = 120): Promise<MemoryWorld> {
  const world = new MemoryWorld()
  world.create('orders', 'uid-1', { deletionPolicy })
  await world.settle('orders')
  world.intake = 'takes'
  world.delete('orders')
  world.now += seconds * 1_000
  return world
}

/** The same, while what the credential would be given back to does not answer. */
async function stranded(deletionPolicy: Policy, seconds?: number): Promise<MemoryWorld> {
  const world = await going(deletionPolicy, seconds)
  world.database.away = true
  return world
}

/** The same, and another replica has moved the fence on. */
async function fenced(deletionPolicy: Policy, seconds?: number): Promise<MemoryWorld> {
  const world = await going(deletionPolicy, seconds)
  for (const role of Object.values(world.database.roles)) role.seq += 1_000
  return world
}
const HINDERED = { away: stranded, fenced } as const

/** Passes as long as one asks for the next at once. */
async function untilItRests(world: MemoryWorld) {
  for (let pass = 0; pass < 20; pass += 1) {
    const next = await world.pass('orders')
    if (next.kind !== AGAIN.kind) return next
  }
  throw new Error('it goes on and on')
}

const message = (world: MemoryWorld): string =>
  world.resource('orders').status?.conditions?.[0]?.message ?? ''
const rotationId = (world: MemoryWorld): string =>
  world.resource('orders').status?.rotationId ?? 'none'
const abandon = (world: MemoryWorld, id: string) =>
  world.annotate('orders', { [ANNOTATION_ABANDON]: id })
const actions = (entries: readonly { readonly action: string }[]) =>
  entries.map(({ action }) => action)
const orphanings = ({ events }: MemoryWorld) => events.filter(({ reason }) => reason === 'Orphaned')

describe('release', () => {
  it('delivers the record of the release before it lets the resource go', async () => {
    const world = await going('Retain')
    expect(await untilItRests(world)).toEqual(REST)
    expect(actions(world.told)).toContain('rotation.release')
    expect(world.record('orders')).toMatchObject({ outbox: [], released: { policy: 'Retain' } })
    expect(world.isHeld('orders')).toBe(false)
  })

  it('lets go all the same when the intake takes nothing, and keeps the entry', async () => {
    const world = await going('Retain')
    world.intake = 'away'
    await untilItRests(world)
    expect(actions(world.record('orders').outbox)).toContain('rotation.release')
    expect(world.isHeld('orders')).toBe(false)
  })

  it('looks again when another replica wrote the record in between', async () => {
    const world = await going('Retain')
    world.states.overtaken = true
    expect(await world.pass('orders')).toEqual(AGAIN)
    expect(world.isHeld('orders')).toBe(true)
  })
})

describe('release with Retain', () => {
  it('writes the tombstone and tells of the orphan when the backend does not answer', async () => {
    const world = await stranded('Retain')
    expect(await untilItRests(world)).toEqual(REST)
    expect(world.record('orders')).toMatchObject({
      released: { policy: 'Retain' },
      rotation: null,
    })
    expect(world.told.at(-1)).toMatchObject({
      action: 'rotation.orphan',
      details: { cause: 'ERR_BACKEND_UNREACHABLE' },
    })
    expect(orphanings(world)).toMatchObject([{ type: 'Warning' }])
    expect(world.isHeld('orders')).toBe(false)
  })

  it('tells of the orphan by an event alone when the store does not answer either', async () => {
    const world = await stranded('Retain')
    world.states.away = true
    expect(await untilItRests(world)).toEqual(REST)
    expect(orphanings(world)).toHaveLength(1)
    expect(world.told).toEqual([])
    expect(world.isHeld('orders')).toBe(false)
  })
})

describe('release while the backend refuses or does not answer, with Retain', () => {
  const hindrances = Object.entries(HINDERED)

  it.each(hindrances)(
    'waits for a backend that is %s until a minute after the deletion, and says so',
    async (_, make) => {
      const world = await make('Retain', 59)
      expect(await untilItRests(world)).toEqual({ kind: 'after', ms: 5_000 })
      expect(message(world)).toContain('lets go of it all the same')
      expect(world.isHeld('orders')).toBe(true)
      expect(orphanings(world)).toEqual([])
      expect(world.record('orders').released).toBeUndefined()
      world.now += 1_000
      expect(await untilItRests(world)).toEqual(REST)
      expect(world.isHeld('orders')).toBe(false)
    },
  )

  it.each(hindrances)(
    'looks again when the record moved on meanwhile, with a backend that is %s',
    async (_, make) => {
      const world = await make('Retain')
      world.states.overtaken = true
      expect(await world.pass('orders')).toEqual(AGAIN)
      expect(world.record('orders').released).toBeUndefined()
      expect(orphanings(world)).toEqual([])
      expect(world.isHeld('orders')).toBe(true)
    },
  )

  it.each(['Retain', 'Revoke'] as const)(
    'leaves it to the leader when the fence refuses a replica that leads no more (%s)',
    async (policy) => {
      const world = await fenced(policy)
      const before = message(world)
      world.leads = false
      await expect(world.pass('orders')).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
      expect(world.record('orders').released).toBeUndefined()
      expect(message(world)).toBe(before)
      expect(orphanings(world)).toEqual([])
      expect(world.isHeld('orders')).toBe(true)
    },
  )

  it('does not wait for what no time mends', async () => {
    const world = await going('Retain', 1)
    world.backend = undefined
    expect(await untilItRests(world)).toEqual(REST)
    expect(world.isHeld('orders')).toBe(false)
  })
})

describe('release with Revoke', () => {
  it('keeps the resource, looks again within 30 seconds and says how to give it up', async () => {
    const world = await stranded('Revoke')
    expect(await untilItRests(world)).toEqual({ kind: 'after', ms: 30_000 })
    expect(message(world)).toContain('ERR_BACKEND_UNREACHABLE')
    const command = 'kubectl -n shop annotate --overwrite srot orders palisade.dev/abandon='
    expect(message(world).endsWith(`${command}${rotationId(world)}`)).toBe(true)
    expect(rotationId(world)).not.toBe('none')
    expect(world.isHeld('orders')).toBe(true)
  })

  it('keeps the resource while the store is away and the backend is not', async () => {
    const world = await going('Revoke')
    world.states.away = true
    await untilItRests(world)
    expect(message(world)).toContain(`palisade.dev/abandon=${rotationId(world)}`)
    expect(world.isHeld('orders')).toBe(true)
  })

  it.each(['answers', 'away'] as const)(
    'gives the rotation up that the annotation names, with a store that %s',
    async (store) => {
      const world = await stranded('Revoke')
      world.states.away = store === 'away'
      abandon(world, rotationId(world))
      expect(await untilItRests(world)).toEqual(REST)
      expect(world.isHeld('orders')).toBe(false)
      world.states.away = false
      const { released } = world.record('orders')
      expect(released?.policy).toBe(store === 'away' ? undefined : 'Abandoned')
      expect(actions(world.told).includes('rotation.abandon')).toBe(store === 'answers')
    },
  )

  it('does not give up for an annotation that names another rotation', async () => {
    const world = await stranded('Revoke')
    abandon(world, 'rotation-0')
    await untilItRests(world)
    expect(world.isHeld('orders')).toBe(true)
  })

  it('lets go of what was to be revoked when the backend is deleted, as an orphan', async () => {
    const world = await going('Revoke')
    world.backend = undefined
    expect(await untilItRests(world)).toEqual(REST)
    expect(world.record('orders').released?.policy).toBe('Revoke')
    expect(orphanings(world)).toHaveLength(1)
    expect(world.isHeld('orders')).toBe(false)
  })

  it.each([
    ['keeps', 9, true],
    ['lets go of', 11, false],
  ])('%s the resource when its namespace has been terminating for %d minutes', async (...row) => {
    const [, minutes, held] = row
    const world = await stranded('Revoke')
    world.terminatingSince = new Date(world.now - minutes * 60_000).toISOString()
    await untilItRests(world)
    expect(world.isHeld('orders')).toBe(held)
  })
})
