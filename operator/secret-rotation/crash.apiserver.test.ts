import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { consumer, keepPods } from '../../test/support/pod-keeper.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import type { Effect } from './effects/effect.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/palisade-system/leases/palisade-operator'

/** The effects of an ordinary rotation with a consumer; the others have cases of their own below. */
const IN_A_ROTATION = [
  'setVerifier',
  'testLogin',
  'publishValue',
  'applySecret',
  'restartConsumer',
  'disableLogin',
  'terminateSessions',
  'destroyVerifier',
  'destroyValue',
] as const satisfies readonly Effect[]
/** Begin, verifier, test, publication, Secret, restart, quiet, disable, ... : each record is a place to die. */
const RECORDS = Array.from({ length: 14 }, (_, i) => i + 1)

let world: RotationWorld
let pods: ReturnType<typeof keepPods>
let orders: RotationView
const running = new Set<OperatorProcess>()

async function operator(identity: string, failpoint?: string): Promise<OperatorProcess> {
  const env = failpoint === undefined ? {} : { PALISADE_FAILPOINT: failpoint }
  const started = await startOperator(world, identity, { PALISADE_RESYNC: '1h', ...env })
  running.add(started)
  return started
}

/** The lease of a dead process would be waited for; taking it away is what its 15 s would do. */
const freeLease = () => world.api.ask('DELETE', LEASE)

/** What must hold after any crash: one more version, no second value, and the old one opens nothing. */
async function expectOneMore(
  version: number,
  before: Readonly<Record<string, string>>,
  evidence: () => string,
): Promise<void> {
  await orders.settled(version, evidence)
  const { username = '', password = '' } = await orders.secret()
  expect(username).not.toBe(before['username'])
  expect(await orders.login(username, password)).toBe('shop_orders')
  expect(await orders.login(before['username'] ?? '', before['password'] ?? '')).toMatch(/^28/)
  const { outbox, rotation, previous } = await orders.state()
  expect({ rotation, previous }).toEqual({ rotation: null, previous: null })
  for (const action of ['rotation.begin', 'rotation.publish', 'rotation.complete']) {
    const told = outbox.filter(
      (entry) => entry.action === action && entry.details['version'] === version,
    )
    expect(told.map((entry) => entry.action)).toEqual([action])
  }
}

async function crashAt(failpoint: string): Promise<void> {
  const version = (await orders.read()).status?.version ?? 0
  const before = await orders.secret()
  const victim = await operator('victim', failpoint)
  await orders.rotateNow(`${failpoint}/${version}`)
  expect(await Promise.race([victim.ended, sleep(30_000, 'alive')]), victim.output()).toBe(
    'SIGKILL',
  )
  await freeLease()
  const heir = await operator('heir')
  await expectOneMore(version + 1, before, () => heir.output())
  await heir.stop()
}

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  await world.enrol('shop', 'shop_orders')
  pods = keepPods(world.api, 'shop')
  orders = new RotationView(world, 'orders')
  await world.api.apply(
    consumer('orders', 'shop', 'orders-db'),
    '/apis/apps/v1/namespaces/shop/deployments',
  )
  await orders.create(secretRotation('orders', 'shop_orders', { overlap: { quiet: '0s' } }))
  const first = await operator('first')
  await orders.settled(1, () => first.output())
  await first.stop()
})
// A replica that is left over from a failed case would keep the lease from the next one.
afterEach(async () => {
  await Promise.all([...running].map((each) => each.stop()))
  running.clear()
})
afterAll(async () => {
  await pods?.stop()
  await world?.stop()
})

describe('an operator killed on either side of an effect', () => {
  for (const effect of IN_A_ROTATION) {
    for (const side of ['before', 'after']) {
      it(`completes the rotation once when it dies ${side} ${effect}`, async () => {
        await crashAt(`${effect}.${side}:kill`)
      })
    }
  }
  for (const passage of RECORDS) {
    it(`completes the rotation once when it dies after writing record ${passage}`, async () => {
      await crashAt(`recordState.after:kill@${passage}`)
    })
  }
  it('completes the rotation once when it dies before its first record', async () => {
    await crashAt('recordState.before:kill')
  })

  it('claims once when it dies on either side of a claim', async () => {
    for (const failpoint of ['recordState.after', 'claimPath.before', 'claimPath.after']) {
      const name = `claim-${failpoint.toLowerCase().replace('.', '-')}`
      const pair = `shop_${name.replaceAll('-', '_')}`
      await world.enrol('shop', pair)
      const view = new RotationView(world, name)
      const victim = await operator('victim', `${failpoint}:kill`)
      await view.create(secretRotation(name, pair, { overlap: { quiet: '0s' } }))
      expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
      await freeLease()
      const heir = await operator('heir')
      await view.settled(1, () => heir.output())
      const { username = '', password = '' } = await view.secret()
      expect(await view.login(username, password)).toBe(pair)
      await heir.stop()
    }
  })

  it('releases once when it dies on either side of a release', async () => {
    const places = [
      'releasePath.before',
      'releasePath.after',
      'releaseRoles.before',
      'releaseRoles.after',
    ]
    for (const failpoint of places) {
      const name = `end-${failpoint.toLowerCase().replace('.', '-')}`
      const pair = `shop_${name.replaceAll('-', '_')}`
      await world.enrol('shop', pair)
      const view = new RotationView(world, name)
      const victim = await operator('victim', `${failpoint}:kill`)
      await view.create(secretRotation(name, pair))
      await view.settled(1, () => victim.output())
      await world.api.ask('DELETE', view.path)
      expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
      await freeLease()
      const heir = await operator('heir')
      await expect
        .poll(async () => (await world.api.get(view.path)).status, { timeout: 30_000 })
        .toBe(404)
      expect((await view.state()).released?.policy).toBe('Retain')
      await heir.stop()
    }
  })
})

describe('an operator killed while it lets the previous user in again', () => {
  for (const side of ['before', 'after']) {
    it(`opens the user once when it dies ${side} enableLogin, and closes it when the consumer is well`, async () => {
      const name = `fall-${side}`
      const pair = `shop_fall_${side}`
      await world.enrol('shop', pair)
      await world.api.apply(
        consumer(name, 'shop', `${name}-db`),
        '/apis/apps/v1/namespaces/shop/deployments',
      )
      const view = new RotationView(world, name)
      await view.create(secretRotation(name, pair, { overlap: { quiet: '0s', min: '6s' } }))
      const victim = await operator('victim', `enableLogin.${side}:kill`)
      await view.settled(1, () => victim.output())
      await view.rotateNow('once')
      await view.until(
        (status) => status.step === 'Watch',
        () => victim.output(),
      )
      await pods.ail(name)
      expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
      await freeLease()
      const heir = await operator('heir')
      const mayLogin = async () => {
        const text = 'select rolcanlogin from pg_roles where rolname = $1'
        const [row] = await world.db.query<{ rolcanlogin: boolean }>(text, [`${pair}_a`])
        return row?.rolcanlogin
      }
      await expect.poll(mayLogin, { timeout: 20_000 }).toBe(true)
      await pods.recover(name)
      await view.settled(2, () => heir.output())
      await heir.stop()
    })
  }
})

describe('an operator killed while it adopts', () => {
  for (const side of ['before', 'after']) {
    it(`takes the roles over once when it dies ${side} adoptRoles`, async () => {
      const name = `adopt-${side}`
      const pair = `shop_adopt_${side}`
      await world.enrol('shop', pair)
      const view = new RotationView(world, name)
      await view.create(secretRotation(name, pair))
      const first = await operator('first')
      const { metadata } = await view.settled(1, () => first.output())
      await first.stop()
      // As after a restore: the resource comes back under another uid, and nobody released the old one.
      await world.api.mergePatch(view.path, { metadata: { finalizers: null } })
      await world.api.ask('DELETE', view.path)
      await view.create(secretRotation(name, pair))
      const refuser = await operator('refuser')
      await view.reason('ClaimedByOther', () => refuser.output())
      await refuser.stop()
      const victim = await operator('victim', `adoptRoles.${side}:kill`)
      await view.annotate({ 'palisade.dev/adopt': metadata.uid ?? '' })
      expect(await Promise.race([victim.ended, sleep(30_000, 'alive')])).toBe('SIGKILL')
      await freeLease()
      const heir = await operator('heir')
      await view.settled(1, () => heir.output())
      await view.rotateNow('as the new owner')
      await view.settled(2, () => heir.output())
      await heir.stop()
    })
  }
})

describe('a leader that was stopped and comes back', () => {
  /** Stops the leader between intent and effect, lets the other finish that rotation and the next, and resumes. */
  async function resumeAfterTwo(failpoint: string): Promise<OperatorProcess> {
    const version = (await orders.read()).status?.version ?? 0
    const sleeper = await operator('sleeper', `${failpoint}:stop`)
    await orders.rotateNow(`${failpoint}/${version}/first`)
    await expect
      .poll(() => sleeper.output(), { timeout: 30_000 })
      .toContain(`failpoint ${failpoint}`)
    await freeLease()
    const other = await operator('other')
    await orders.settled(version + 1, () => other.output())
    await orders.rotateNow(`${failpoint}/${version}/second`)
    await orders.settled(version + 2, () => other.output())
    const [secret, state] = [await orders.secret(), await orders.state()]
    sleeper.signal('SIGCONT')
    expect(await sleeper.ended).toBe(1)
    await sleep(500)
    expect(await orders.secret()).toEqual(secret)
    expect((await orders.state()).seq).toBe(state.seq)
    expect(await orders.login(secret['username'] ?? '', secret['password'] ?? '')).toBe(
      'shop_orders',
    )
    await other.stop()
    return sleeper
  }

  for (const effect of ['setVerifier', 'disableLogin', 'destroyVerifier'] as const) {
    it(`is refused by the database at ${effect}`, async () => {
      const before = world.db.log().length
      await resumeAfterTwo(`${effect}.before`)
      expect(world.db.log().slice(before)).toMatch(/the fence of role "shop_orders_[ab]" stands at/)
    })
  }

  for (const effect of ['publishValue', 'applySecret', 'restartConsumer', 'recordState'] as const) {
    it(`changes nothing that the other replica wrote at ${effect}`, async () => {
      await resumeAfterTwo(`${effect}.before`)
    })
  }
})
