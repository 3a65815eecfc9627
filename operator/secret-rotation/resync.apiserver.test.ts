import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { RunningOperators } from '../../test/support/running-operators.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/palisade-system/leases/palisade-operator'
const ANNOTATION = 'palisade.dev/resync-fence'

let world: RotationWorld
const operators = new RunningOperators()
const operator = (failpoint?: string) => operators.start(world, failpoint)

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
})
afterEach(() => operators.stop())
afterAll(() => world?.stop())

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
async function stalled(view: RotationView, by: OperatorProcess) {
  const { status } = await view.reason('StaleFence', () => by.output())
  const message = status?.conditions?.find(({ type }) => type === 'Stalled')?.message ?? ''
  return { message, token: new RegExp(`${ANNOTATION}=(\\d+:\\d+)`).exec(message)?.[1] ?? '' }
}

/** Two versions are issued, and then the database is what it was after the first. */
async function restoredDatabase(name: string) {
  const pair = `shop_${name}`
  await world.enrol('shop', pair)
  const view = new RotationView(world, name)
  const first = await operator()
  await view.create(secretRotation(name, pair))
  await view.settled(1, () => first.output())
  const old = await view.secret()
  const copy = await copyOf(pair)
  await view.rotateNow('second')
  await view.settled(2, () => first.output())
  await restore(copy)
  await view.rotateNow('third')
  return { view, pair, old, copy, ...(await stalled(view, first)), first }
}

/**
 * The operator may see that the restored database refuses the current value before it sees the wish: then the new
 * value is not the wished one yet, which comes after it.
 */
const wishFulfilled = (view: RotationView, by: OperatorProcess) =>
  view.until(
    ({ version = 0, step, lastHandledRotateNow }) =>
      version > 2 && step === 'Idle' && lastHandledRotateNow === 'third',
    () => by.output(),
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
    const { view, message, token, first } = await restoredDatabase('stays')
    expect(message).toMatch(/the fence of role "shop_stays_[ab]" stands at \d+, the record expects/)
    expect(message).toContain(`kubectl -n shop annotate --overwrite srot stays ${ANNOTATION}=`)
    const [standsAt, seq] = token.split(':').map(Number)
    for (const wrong of [`${standsAt}:${(seq ?? 0) + 1}`, `${(standsAt ?? 0) + 1}:${seq}`, 'yes'])
      await view.annotate({ [ANNOTATION]: wrong })
    await sleep(2_000)
    expect((await stalled(view, first)).token).toBe(token)
  })

  it('goes on with a new value when a person asks, and shuts out the one that came back', async () => {
    const { view, pair, old, copy, token, first } = await restoredDatabase('back')
    expect(await view.login(old['username'] ?? '', old['password'] ?? '')).toBe(pair)
    await view.annotate({ [ANNOTATION]: token })
    await wishFulfilled(view, first)
    await expectHealthy(view, pair)
    expect(await view.login(old['username'] ?? '', old['password'] ?? '')).toMatch(/^28/)
    const before = Math.max(...copy.map(({ seq }) => Number(seq)))
    for (const { seq } of await copyOf(pair)) expect(Number(seq)).toBeGreaterThan(before)
  })

  for (const side of ['before', 'after']) {
    it(`goes on once when the operator dies ${side} resyncFence`, async () => {
      const { view, pair, token, first } = await restoredDatabase(`dies_${side}`.replace('_', ''))
      await first.stop()
      const victim = await operator(`resyncFence.${side}:kill@2`)
      await view.annotate({ [ANNOTATION]: token })
      expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
      await world.api.ask('DELETE', LEASE)
      const heir = await operator()
      await wishFulfilled(view, heir)
      await expectHealthy(view, pair)
    })
  }
})

describe('a rotation whose record is older than the database', () => {
  it('goes on from beyond both', async () => {
    const pair = 'shop_ahead'
    await world.enrol('shop', pair)
    const view = new RotationView(world, 'ahead')
    const first = await operator()
    await view.create(secretRotation('ahead', pair))
    await view.settled(1, () => first.output())
    await world.db.query(
      `update palisade_fence.pair_roles set seq = seq + 500 where role like 'shop\\_ahead\\_%'`,
    )
    await view.rotateNow('second')
    const { token } = await stalled(view, first)
    await view.annotate({ [ANNOTATION]: token })
    await view.settled(2, () => first.output())
    await expectHealthy(view, pair)
  })
})
