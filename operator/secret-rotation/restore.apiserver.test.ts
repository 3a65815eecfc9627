import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { killed } from '../../test/support/operator-process.ts'
import { withClient } from '../../test/support/postgres.ts'
import { Replicas } from '../../test/support/replicas.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'

const ANNOTATION = 'palisade.dev/resync-fence'

let world: RotationWorld
let replicas: Replicas
const evidence = () => replicas.output()

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  replicas = new Replicas(world)
})
afterEach(() => replicas?.disarm())
afterAll(async () => {
  await replicas?.stop()
  await world?.stop()
})

/** As after a restore: the resource is gone, and nobody released it. No operator may be there to see it go. */
async function takeAway(view: RotationView): Promise<void> {
  await world.api.mergePatch(view.path, { metadata: { finalizers: null } })
  await world.api.ask('DELETE', view.path)
}

/** The resource was taken away when the operator had died in the middle of a step. Whoever comes next waits. */
async function interrupted(name: string, place: string) {
  await world.enrol('shop', `shop_${name}`)
  const view = new RotationView(world, name)
  const victim = await replicas.leader()
  await view.create(secretRotation(name, `shop_${name}`))
  const { metadata } = await view.settled(1, evidence)
  const { username = '', password = '' } = await view.secret()
  await victim.arm(`${place}:kill`)
  await view.rotateNow('now')
  await killed(victim)
  await takeAway(view)
  return { view, victim, uid: metadata.uid ?? '', username, password, left: await view.state() }
}

const adopting = (uid: string) => ({ annotations: { 'palisade.dev/adopt': uid } })

/** Who may log in, and whose verifier stands in the database. */
async function rolesOf(name: string) {
  const rows = await world.db.query<{ role: string; open: boolean; verifier: boolean }>(
    `select rolname as role, rolcanlogin as open, rolpassword is not null as verifier
       from pg_authid where rolname in ($1, $2) order by rolname`,
    [`shop_${name}_a`, `shop_${name}_b`],
  )
  return rows.map(({ open, verifier }) => (open && verifier ? 'open' : verifier ? 'shut' : 'none'))
}

const PLACES = [
  ['its value set and published nowhere', 'testLogin.before'],
  ['its value published and not in the Secret', 'publishValue.after'],
  ['the previous user still open', 'disableLogin.before'],
  ['the previous user disabled', 'terminateSessions.after'],
  ['the previous user destroyed and its value in the store', 'destroyValue.before'],
] as const

describe('a resource that adopts a rotation under way', () => {
  for (const [i, [what, place]] of PLACES.entries()) {
    it(`goes on from ${what}, and retires the previous user`, async () => {
      const name = `place${i}`
      const { view, victim, uid, username, password, left } = await interrupted(name, place)
      await view.create(secretRotation(name, `shop_${name}`, adopting(uid)))
      await replicas.succeed(victim)
      await view.settled(2, evidence)
      const state = await view.state()
      expect(state).toMatchObject({ rotation: null, previous: null, current: { version: 2 } })
      expect(state.seq).toBeGreaterThan(left.seq)
      const now = await view.secret()
      expect(now['username']).toBe(`shop_${name}_b`)
      expect(await view.login(now['username'] ?? '', now['password'] ?? '')).toBe(`shop_${name}`)
      expect(await view.login(username, password)).toMatch(/^28/)
      expect(await rolesOf(name)).toEqual(['none', 'open'])
    })
  }

  it('does so under another name, and leaves a closed record without a value behind', async () => {
    const { view, victim, uid, left } = await interrupted('old', 'testLogin.before')
    expect(left.rotation?.pending).toBeDefined()
    const renamed = new RotationView(world, 'renamed')
    const wish = { ...adopting(uid), path: 'old/db' }
    await renamed.create(secretRotation('renamed', 'shop_old', wish))
    await replicas.succeed(victim)
    await renamed.settled(2, evidence)
    expect((await renamed.state()).current?.rotationId).toBe(left.rotation?.id)
    expect(await view.state()).toMatchObject({
      rotation: null,
      previous: null,
      released: { policy: 'Adopted' },
    })
    expect(await rolesOf('old')).toEqual(['none', 'open'])
  })

  it('keeps waiting for a session of the previous user that was there before', async () => {
    await world.enrol('shop', 'shop_held')
    const view = new RotationView(world, 'held')
    const first = await replicas.leader()
    await view.create(secretRotation('held', 'shop_held'))
    const { metadata } = await view.settled(1, evidence)
    const { username = '', password = '' } = await view.secret()
    await withClient(world.db.as(username, password), async (session) => {
      await view.rotateNow('now')
      await view.reason('PreviousStillInUse', evidence)
      first.signal('SIGKILL')
      await killed(first)
      await takeAway(view)
      await view.create(secretRotation('held', 'shop_held', adopting(metadata.uid ?? '')))
      await replicas.succeed(first)
      await view.reason('PreviousStillInUse', evidence)
      expect((await session.query('select 1')).rowCount).toBe(1)
    })
    await view.settled(2, evidence)
    expect(await rolesOf('held')).toEqual(['none', 'open'])
  })

  it('is refused when it means other users, whose rotation would leave these open', async () => {
    const { view, victim, uid, left } = await interrupted('mine', 'testLogin.before')
    await world.enrol('shop', 'shop_other')
    await view.create(secretRotation('mine', 'shop_other', { ...adopting(uid), path: 'mine/db' }))
    await replicas.succeed(victim)
    const { status } = await view.reason('ClaimedByOther', evidence)
    expect(status?.conditions?.[0]?.message).toContain('shop_mine_a, shop_mine_b')
    expect((await view.state()).seq).toBe(left.seq)
  })
})

interface Copy {
  readonly role: string
  readonly seq: string
  readonly verifier: string | null
  readonly open: boolean
}

/** What a copy of the database would hold about a pair. */
const copyOf = (pair: string) =>
  world.db.query<Copy>(
    `select r.role, r.seq, a.rolpassword as verifier, a.rolcanlogin as open
       from palisade_fence.pair_roles r join pg_authid a on a.rolname = r.role where r.role like $1`,
    [`${pair}\\_%`],
  )

async function restore(copy: readonly Copy[]): Promise<void> {
  for (const { role, seq, verifier, open } of copy) {
    await world.db.query('update palisade_fence.pair_roles set seq = $2 where role = $1', [
      role,
      seq,
    ])
    const value = verifier === null ? 'null' : `'${verifier}'`
    await world.db.query(`alter role ${role} ${open ? 'login' : 'nologin'} password ${value}`)
  }
}

/** The words of the condition, and in them the one that a person has to say. */
async function stalled(view: RotationView) {
  const { status } = await view.reason('StaleFence', evidence)
  const message = status?.conditions?.find(({ type }) => type === 'Stalled')?.message ?? ''
  return { message, token: new RegExp(`${ANNOTATION}=(\\d+:\\d+)`).exec(message)?.[1] ?? '' }
}

/** Two versions are issued, and then the database is what it was after the first. */
async function restoredDatabase(name: string) {
  const pair = `shop_${name}`
  await world.enrol('shop', pair)
  const view = new RotationView(world, name)
  await view.create(secretRotation(name, pair))
  await view.settled(1, evidence)
  const old = await view.secret()
  const copy = await copyOf(pair)
  await view.rotateNow('second')
  await view.settled(2, evidence)
  await restore(copy)
  await view.rotateNow('third')
  return { view, pair, old, copy, ...(await stalled(view)) }
}

/**
 * The operator may see that the restored database refuses the current value before it sees the wish: then the new
 * value is not the wished one yet, which comes after it.
 */
const wishFulfilled = (view: RotationView) =>
  view.until(
    ({ version = 0, step, lastHandledRotateNow }) =>
      version > 2 && step === 'Idle' && lastHandledRotateNow === 'third',
    evidence,
  )

async function expectHealthy(view: RotationView, pair: string): Promise<void> {
  const { username = '', password = '' } = await view.secret()
  expect(await view.login(username, password)).toBe(pair)
  const { rotation, previous } = await view.state()
  expect({ rotation, previous }).toEqual({ rotation: null, previous: null })
  const others = await world.db.query<{ open: boolean }>(
    `select rolcanlogin and rolpassword is not null as open
       from pg_authid where rolname like $1 and rolname <> $2`,
    [`${pair}\\_%`, username],
  )
  expect(others).toEqual([{ open: false }])
}

describe('a rotation whose database was restored from a copy', () => {
  it('stays where it is, and says which command goes on', async () => {
    const { view, message, token } = await restoredDatabase('stays')
    expect(message).toMatch(/the fence of role "shop_stays_[ab]" stands at \d+, the record expects/)
    expect(message).toContain(`kubectl -n shop annotate --overwrite srot stays ${ANNOTATION}=`)
    const [standsAt, seq] = token.split(':').map(Number)
    for (const wrong of [`${standsAt}:${(seq ?? 0) + 1}`, `${(standsAt ?? 0) + 1}:${seq}`, 'yes'])
      await view.annotate({ [ANNOTATION]: wrong })
    await sleep(2_000)
    expect((await stalled(view)).token).toBe(token)
  })

  it('goes on with a new value when a person asks, and shuts out the one that came back', async () => {
    const { view, pair, old, copy, token } = await restoredDatabase('back')
    expect(await view.login(old['username'] ?? '', old['password'] ?? '')).toBe(pair)
    await view.annotate({ [ANNOTATION]: token })
    await wishFulfilled(view)
    await expectHealthy(view, pair)
    expect(await view.login(old['username'] ?? '', old['password'] ?? '')).toMatch(/^28/)
    const before = Math.max(...copy.map(({ seq }) => Number(seq)))
    for (const { seq } of await copyOf(pair)) expect(Number(seq)).toBeGreaterThan(before)
  })

  for (const side of ['before', 'after']) {
    it(`goes on once when the operator dies ${side} resyncFence`, async () => {
      const { view, pair, token } = await restoredDatabase(`dies_${side}`.replace('_', ''))
      const victim = await replicas.leader()
      await victim.arm(`resyncFence.${side}:kill@2`)
      await view.annotate({ [ANNOTATION]: token })
      await killed(victim)
      await replicas.succeed(victim)
      await wishFulfilled(view)
      await expectHealthy(view, pair)
    })
  }
})

describe('a rotation whose record is older than the database', () => {
  it('goes on from beyond both', async () => {
    const pair = 'shop_ahead'
    await world.enrol('shop', pair)
    const view = new RotationView(world, 'ahead')
    await view.create(secretRotation('ahead', pair))
    await view.settled(1, evidence)
    await world.db.query(
      `update palisade_fence.pair_roles set seq = seq + 500 where role like 'shop\\_ahead\\_%'`,
    )
    await view.rotateNow('second')
    const { token } = await stalled(view)
    await view.annotate({ [ANNOTATION]: token })
    await view.settled(2, evidence)
    await expectHealthy(view, pair)
  })
})
