import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { withClient } from '../../test/support/postgres.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { RunningOperators } from '../../test/support/running-operators.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/palisade-system/leases/palisade-operator'

let world: RotationWorld
const operators = new RunningOperators()
const operator = (failpoint?: string) => operators.start(world, failpoint)

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
})
afterEach(() => operators.stop())
afterAll(() => world?.stop())

/** As after a restore: the resource is gone, nobody released it, and the operator died in the middle of a step. */
async function interrupted(name: string, failpoint: string) {
  await world.enrol('shop', `shop_${name}`)
  const view = new RotationView(world, name)
  const victim = await operator(failpoint)
  await view.create(secretRotation(name, `shop_${name}`))
  const { metadata } = await view.settled(1, () => victim.output())
  const { username = '', password = '' } = await view.secret()
  await view.rotateNow('now')
  expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
  await world.api.ask('DELETE', LEASE)
  await world.api.mergePatch(view.path, { metadata: { finalizers: null } })
  await world.api.ask('DELETE', view.path)
  return { view, uid: metadata.uid ?? '', username, password, left: await view.state() }
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

// The first rotation passes each place once, the second one is where it dies.
const PLACES = [
  ['its value set and published nowhere', 'testLogin.before:kill@2', 2],
  ['its value published and not in the Secret', 'publishValue.after:kill@2', 2],
  ['the previous user still open', 'disableLogin.before:kill', 2],
  ['the previous user disabled', 'terminateSessions.after:kill', 2],
  ['the previous user destroyed and its value in the store', 'destroyValue.before:kill', 2],
] as const

describe('a resource that adopts a rotation under way', () => {
  for (const [i, [what, failpoint, version]] of PLACES.entries()) {
    it(`goes on from ${what}, and retires the previous user`, async () => {
      const name = `place${i}`
      const { view, uid, username, password, left } = await interrupted(name, failpoint)
      const heir = await operator()
      await view.create(secretRotation(name, `shop_${name}`, adopting(uid)))
      await view.settled(version, () => heir.output())
      const state = await view.state()
      expect(state).toMatchObject({ rotation: null, previous: null, current: { version } })
      expect(state.seq).toBeGreaterThan(left.seq)
      const now = await view.secret()
      expect(now['username']).toBe(`shop_${name}_b`)
      expect(await view.login(now['username'] ?? '', now['password'] ?? '')).toBe(`shop_${name}`)
      expect(await view.login(username, password)).toMatch(/^28/)
      expect(await rolesOf(name)).toEqual(['none', 'open'])
    })
  }

  it('does so under another name, and leaves a closed record without a value behind', async () => {
    const { view, uid, left } = await interrupted('old', 'testLogin.before:kill@2')
    expect(left.rotation?.pending).toBeDefined()
    const heir = await operator()
    const renamed = new RotationView(world, 'renamed')
    const wish = { ...adopting(uid), path: 'old/db' }
    await renamed.create(secretRotation('renamed', 'shop_old', wish))
    await renamed.settled(2, () => heir.output())
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
    const first = await operator()
    await view.create(secretRotation('held', 'shop_held'))
    const { metadata } = await view.settled(1, () => first.output())
    const { username = '', password = '' } = await view.secret()
    await withClient(world.db.as(username, password), async (session) => {
      await view.rotateNow('now')
      await view.reason('PreviousStillInUse', () => first.output())
      await first.stop()
      await world.api.mergePatch(view.path, { metadata: { finalizers: null } })
      await world.api.ask('DELETE', view.path)
      const heir = await operator()
      await view.create(secretRotation('held', 'shop_held', adopting(metadata.uid ?? '')))
      await view.reason('PreviousStillInUse', () => heir.output())
      expect((await session.query('select 1')).rowCount).toBe(1)
    })
    await view.settled(2)
    expect(await rolesOf('held')).toEqual(['none', 'open'])
  })

  it('is refused when it means other users, whose rotation would leave these open', async () => {
    const { view, uid, left } = await interrupted('mine', 'testLogin.before:kill@2')
    await world.enrol('shop', 'shop_other')
    const heir = await operator()
    await view.create(secretRotation('mine', 'shop_other', { ...adopting(uid), path: 'mine/db' }))
    const { status } = await view.reason('ClaimedByOther', () => heir.output())
    expect(status?.conditions?.[0]?.message).toContain('shop_mine_a, shop_mine_b')
    expect((await view.state()).seq).toBe(left.seq)
  })
})
