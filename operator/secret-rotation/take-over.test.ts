import { describe, expect, it } from 'vitest'
import type { StateRecord } from './state.ts'
import { Crash, MemoryWorld } from './testkit/memory-world.ts'

const hasVersion2 = ({ current, rotation }: StateRecord) => current?.version === 2 && !rotation

/** Version 1 is issued, and the operator died at a place of the second rotation; the resource came back anew. */
async function interrupted(failpoint: string, passage = 1): Promise<MemoryWorld> {
  const world = new MemoryWorld()
  world.create('orders', 'uid-1')
  await world.settle('orders')
  world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
  world.dieAt(failpoint, passage)
  await expect(world.settle('orders', hasVersion2)).rejects.toThrow(Crash)
  world.dieAt('')
  return world
}

const ADOPT = { 'palisade.dev/adopt': 'uid-1' }

describe('a resource that adopts a rotation under way', () => {
  it.each([
    ['setVerifier.before', 1],
    ['setVerifier.after', 1],
    ['testLogin.before', 1],
    ['publishValue.before', 1],
    ['publishValue.after', 1],
    ['applySecret.before', 1],
    ['disableLogin.before', 1],
    ['disableLogin.after', 1],
    ['terminateSessions.before', 1],
    ['destroyVerifier.before', 1],
    ['destroyVerifier.after', 1],
    ['destroyValue.before', 1],
  ] as const)('goes on from %s and leaves no second value open', async (failpoint, passage) => {
    const world = await interrupted(failpoint, passage)
    const before = world.record('orders')
    world.create('orders', 'uid-2')
    world.annotate('orders', ADOPT)
    const after = await world.settle('orders')
    expect(after).toMatchObject({ current: { version: 2, role: 'shop_b' }, previous: null })
    expect(after.owner.uid).toBe('uid-2')
    expect(after.seq).toBeGreaterThan(before.seq)
    expect(world.database.roles['shop_a']).toMatchObject({ login: false, verifier: null })
    expect(world.database.owner).toBe('c/shop/orders/uid-2')
  })

  it('goes on under another name and closes the record of the old one', async () => {
    const world = await interrupted('testLogin.before')
    const { rotation } = world.record('orders')
    world.create('renamed', 'uid-2')
    world.annotate('renamed', ADOPT)
    expect((await world.settle('renamed')).current?.rotationId).toBe(rotation?.id)
    expect(world.record('orders')).toMatchObject({
      rotation: null,
      released: { policy: 'Adopted' },
    })
  })

  it('does the same when it dies between any two of its writes', async () => {
    for (const [place, passage] of [
      ['recordState.after', 1],
      ['recordState.after', 2],
      ['recordState.after', 3],
      ['adoptRoles.after', 1],
      ['claimPath.after', 1],
    ] as const) {
      const world = await interrupted('testLogin.before')
      world.create('renamed', 'uid-2')
      world.annotate('renamed', ADOPT)
      world.dieAt(place, passage)
      await expect(world.settle('renamed')).rejects.toThrow(Crash)
      world.dieAt('')
      expect(await world.settle('renamed')).toMatchObject({ current: { version: 2 } })
      expect(world.record('orders').released?.policy).toBe('Adopted')
      expect(world.database.roles['shop_a']).toMatchObject({ verifier: null })
    }
  })

  it('is refused for other roles or another path while a rotation runs, and changes nothing', async () => {
    const world = await interrupted('testLogin.before')
    world.create('renamed', 'uid-2', { store: { path: 'else/where' } })
    world.annotate('renamed', ADOPT)
    await world.pass('renamed')
    await world.pass('renamed')
    const { status } = world.resource('renamed')
    expect(status?.conditions?.[0]).toMatchObject({ reason: 'ClaimedByOther' })
    expect(status?.conditions?.[0]?.message).toContain('orders/db')
    expect(world.states.at.has('c/shop/renamed')).toBe(false)
  })

  it('does not do a second time what a person asked of the one before', async () => {
    const world = new MemoryWorld()
    world.create('orders', 'uid-1')
    world.annotate('orders', { 'palisade.dev/rotate-now': 'now' })
    const { current } = await world.settle('orders')
    world.create('orders', 'uid-2')
    world.annotate('orders', { ...ADOPT, 'palisade.dev/rotate-now': 'now' })
    const after = await world.settle('orders', ({ owner }) => owner.uid === 'uid-2')
    expect(after.current?.version).toBe(current?.version)
  })
})

describe('a path that holds a value which no rotation wrote', () => {
  it.each([{}, { 'palisade.dev/adopt': '' }])("is nobody's to claim with %o", async (given) => {
    const world = new MemoryWorld()
    world.values.at.set('shop/orders/db', [{ owner: '', released: false }])
    world.create('orders', 'uid-1')
    world.annotate('orders', given)
    await world.pass('orders')
    await world.pass('orders')
    expect(world.resource('orders').status?.conditions?.[0]?.reason).toBe('ClaimedByOther')
    expect(world.values.at.get('shop/orders/db')).toHaveLength(1)
  })
})

describe('a resource that would adopt what another cluster holds', () => {
  /** The store and the database are shared, and the namespace has the same name there. */
  async function ofAnotherCluster(): Promise<MemoryWorld> {
    const world = await interrupted('testLogin.before')
    const owner = { ...world.record('orders').owner, cluster: 'other' }
    world.states.at.set('other/shop/orders', [{ ...world.record('orders'), owner }])
    world.states.at.delete('c/shop/orders')
    world.database.owner = 'other/shop/orders/uid-1'
    const value = await world.values.read('shop/orders/db')
    if (!value) throw new Error('nothing is published')
    const theirs = { ...value.value, owner: 'other/shop/orders/uid-1' }
    world.values.at.set('shop/orders/db', [theirs])
    return world
  }

  it.each([
    ['the path', 'orders/db'],
    ['the roles', 'else/where'],
  ])('is refused by %s, and changes nothing', async (_, path) => {
    const world = await ofAnotherCluster()
    const roles = structuredClone(world.database.roles)
    world.create('mine', 'uid-2', { store: { path } })
    world.annotate('mine', ADOPT)
    await world.pass('mine')
    await world.pass('mine')
    const [condition] = world.resource('mine').status?.conditions ?? []
    expect(condition).toMatchObject({ reason: 'ClaimedByOther' })
    expect(condition?.message).toContain('another cluster')
    expect(world.states.at.has('c/shop/mine')).toBe(false)
    expect(world.states.at.get('other/shop/orders')).toHaveLength(1)
    expect(world.database).toMatchObject({ owner: 'other/shop/orders/uid-1', roles })
  })
})

describe('a namesake of a resource that was released while its database was away', () => {
  it.each([
    'setVerifier.after',
    'publishValue.after',
    'disableLogin.before',
    'destroyVerifier.before',
  ])('goes on from %s, and the tombstone between them holds no value', async (failpoint) => {
    const world = await interrupted(failpoint)
    world.database.away = true
    await world.remove('orders')
    expect(world.record('orders')).toMatchObject({ rotation: null, released: { policy: 'Retain' } })
    expect(JSON.stringify(world.record('orders'))).not.toContain('pending')
    world.database.away = false
    world.create('orders', 'uid-2')
    await world.settle('orders', ({ owner, rotation }) => owner.uid === 'uid-2' && !rotation)
    const value = await world.values.read('shop/orders/db')
    const { username = '', password = '' } = value?.value.issue?.fields.reveal() ?? {}
    expect(username).toBe('shop_b')
    expect(world.database.opens(username, password)).toBe(true)
    expect(world.database.roles['shop_a']).toMatchObject({ login: false, verifier: null })
  })
})

describe('resync-fence', () => {
  /** Two versions, and the database of a moment before the second. */
  async function restored(): Promise<MemoryWorld> {
    const world = new MemoryWorld()
    world.create('orders', 'uid-1')
    await world.settle('orders')
    const copy = structuredClone(world.database.roles)
    world.annotate('orders', { 'palisade.dev/rotate-now': 'second' })
    await world.settle('orders', hasVersion2)
    Object.assign(world.database.roles, copy)
    await expect(world.settle('orders')).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
    return world
  }
  const messageOf = (world: MemoryWorld) =>
    world.resource('orders').status?.conditions?.find(({ type }) => type === 'Stalled')?.message
  const tokenOf = (world: MemoryWorld) =>
    /resync-fence=(\d+:\d+)/.exec(messageOf(world) ?? '')?.[1] ?? ''

  it('is named with both numbers in the message, and nothing else gets on', async () => {
    const world = await restored()
    const seq = world.record('orders').seq
    for (const wrong of ['yes', `1:${seq}`, tokenOf(world).replace(/\d$/, '')]) {
      world.annotate('orders', { 'palisade.dev/resync-fence': wrong })
      await expect(world.pass('orders')).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
    }
  })

  it('moves both roles beyond every number and issues a value that opens', async () => {
    const world = await restored()
    const { seq } = world.record('orders')
    world.annotate('orders', { 'palisade.dev/resync-fence': tokenOf(world) })
    const { current, fences } = await world.settle('orders')
    expect(current?.version).toBeGreaterThan(2)
    for (const number of Object.values(fences)) expect(number).toBeGreaterThan(seq)
    const value = await world.values.read('shop/orders/db')
    const { username = '', password = '' } = value?.value.issue?.fields.reveal() ?? {}
    expect(world.database.opens(username, password)).toBe(true)
    const other = username === 'shop_a' ? 'shop_b' : 'shop_a'
    expect(world.database.roles[other]).toMatchObject({ login: false })
  })

  it('is named as well when it is the Secret that shows a record from before the database', async () => {
    const world = new MemoryWorld()
    world.create('orders', 'uid-1')
    const { seq } = await world.settle('orders')
    const role = world.database.roles['shop_a']
    if (role) role.seq = 500
    world.secretRefusal = { kind: 'stale', message: 'stale fence' }
    await expect(world.pass('orders')).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
    expect(tokenOf(world)).toBe(`500:${seq}`)
  })

  it.each(['resyncFence.before', 'resyncFence.after', 'recordState.after'])(
    'is completed after a crash at %s',
    async (place) => {
      const world = await restored()
      world.annotate('orders', { 'palisade.dev/resync-fence': tokenOf(world) })
      world.dieAt(place, 2)
      await expect(world.settle('orders')).rejects.toThrow(Crash)
      world.dieAt('')
      expect((await world.settle('orders')).current?.version).toBeGreaterThan(2)
    },
  )

  it('does not retire the previous user while the restored database refuses the current one', async () => {
    const world = new MemoryWorld()
    world.create('orders', 'uid-1')
    await world.settle('orders')
    const copy = structuredClone(world.database.roles)
    world.database.open = [{ pid: 1, address: '192.0.2.7', application: '', since: '' }]
    world.annotate('orders', { 'palisade.dev/rotate-now': 'second' })
    await world.settle('orders', ({ rotation }) => rotation?.step === 'converge')
    Object.assign(world.database.roles, copy)
    world.database.open = []
    await expect(world.settle('orders')).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
    world.annotate('orders', { 'palisade.dev/resync-fence': tokenOf(world) })
    await world.settle('orders')
    const value = await world.values.read('shop/orders/db')
    const { username = '', password = '' } = value?.value.issue?.fields.reveal() ?? {}
    expect(world.database.opens(username, password)).toBe(true)
  })
})

describe('a client that is refused as the previous user', () => {
  it('brings it back, and is waited for before it is disabled again', async () => {
    const world = new MemoryWorld()
    world.create('orders', 'uid-1')
    await world.settle('orders')
    world.annotate('orders', { 'palisade.dev/rotate-now': 'second' })
    await world.settle('orders', ({ rotation }) => rotation?.step === 'watch')
    expect(world.database.roles['shop_a']?.login).toBe(false)
    const clients = [{ address: '192.0.2.7', count: 2, lastAt: new Date(world.now).toISOString() }]
    world.refusals = { kind: 'seen', clients }
    await world.settle('orders', ({ rotation }) => rotation?.step === 'converge')
    expect(world.database.roles['shop_a']?.login).toBe(true)
    world.refusals = { kind: 'seen', clients: [] }
    await world.pass('orders')
    const { status } = world.resource('orders')
    expect(status?.previous).toMatchObject({ state: 'Valid', holders: [{ refused: 2 }] })
    expect(status?.conditions?.[0]?.reason).toBe('PreviousUserRefused')
    await world.settle('orders')
    expect(world.database.roles['shop_a']).toMatchObject({ login: false, verifier: null })
  })
})
