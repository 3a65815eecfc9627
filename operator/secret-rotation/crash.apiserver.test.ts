import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../../test/support/child.ts'
import { IN_A_ROTATION, RECORDS, SIDES } from '../../test/support/crash-places.ts'
import { CrashWorld } from '../../test/support/crash-world.ts'
import { killed, startOperator } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startTowards, stoppedAt } from '../../test/support/stopped-operator.ts'
import { startSwitch } from '../../test/support/switch.ts'

let crash: CrashWorld
const evidence = () => crash.evidence()

beforeAll(async () => {
  crash = await CrashWorld.start()
})
afterEach(() => crash?.replicas.disarm())
afterAll(() => crash?.stop())

/** A rotation of its own on a new pair of roles; `shop_` is the prefix of the namespace. */
async function enrolled(
  name: string,
): Promise<{ readonly pair: string; readonly view: RotationView }> {
  const pair = `shop_${name.replaceAll('-', '_')}`
  await crash.world.enrol('shop', pair)
  return { pair, view: new RotationView(crash.world, name) }
}

describe('an operator killed on either side of an effect', () => {
  for (const effect of IN_A_ROTATION) {
    for (const side of SIDES) {
      it(`completes the rotation once when it dies ${side} ${effect}`, async () => {
        await crash.dieAt(`${effect}.${side}:kill`)
      })
    }
  }
  for (const passage of RECORDS) {
    it(`completes the rotation once when it dies after writing record ${passage}`, async () => {
      await crash.dieAt(`recordState.after:kill@${passage}`)
    })
  }
  it('completes the rotation once when it dies before its first record', async () => {
    await crash.dieAt('recordState.before:kill')
  })

  it('claims once when it dies on either side of a claim', async () => {
    for (const place of ['recordState.after', 'claimPath.before', 'claimPath.after']) {
      const { pair, view } = await enrolled(`claim-${place.toLowerCase().replace('.', '-')}`)
      const victim = await crash.replicas.leader()
      await victim.arm(`${place}:kill`)
      await view.create(secretRotation(view.name, pair))
      await killed(victim)
      await crash.replicas.succeed(victim)
      await view.settled(1, evidence)
      const { username = '', password = '' } = await view.secret()
      expect(await view.login(username, password)).toBe(pair)
    }
  })

  it('releases once when it dies on either side of a release', async () => {
    const places = [
      'releasePath.before',
      'releasePath.after',
      'releaseRoles.before',
      'releaseRoles.after',
    ]
    for (const place of places) {
      const { pair, view } = await enrolled(`end-${place.toLowerCase().replace('.', '-')}`)
      await view.create(secretRotation(view.name, pair))
      await view.settled(1, evidence)
      const victim = await crash.replicas.leader()
      await victim.arm(`${place}:kill`)
      await crash.world.api.ask('DELETE', view.path)
      await killed(victim)
      await crash.replicas.succeed(victim)
      await expect
        .poll(async () => (await crash.world.api.get(view.path)).status, { timeout: 30_000 })
        .toBe(404)
      expect((await view.state()).released?.policy).toBe('Retain')
    }
  })
})

describe('an operator killed while it lets the previous user in again', () => {
  for (const side of SIDES) {
    it(`opens the user once when it dies ${side} enableLogin, and closes it when the consumer is well`, async () => {
      const { pair, view } = await enrolled(`fall-${side}`)
      await crash.employ(view.name)
      await view.create(secretRotation(view.name, pair, { overlap: { min: '20s' } }))
      await view.settled(1, evidence)
      const victim = await crash.replicas.leader()
      await victim.arm(`enableLogin.${side}:kill`)
      await view.rotateNow('once')
      await view.until((status) => status.step === 'Watch', evidence)
      await crash.pods.ail(view.name)
      await killed(victim)
      await crash.replicas.succeed(victim)
      const mayLogin = async () => {
        const text = 'select rolcanlogin from pg_roles where rolname = $1'
        const [row] = await crash.world.db.query<{ rolcanlogin: boolean }>(text, [`${pair}_a`])
        return row?.rolcanlogin
      }
      await expect.poll(mayLogin, { timeout: 20_000 }).toBe(true)
      // Long enough to fall in; nobody has to wait through it a second time.
      await view.amend({ overlap: { min: '0s' } })
      await crash.pods.recover(view.name)
      await view.settled(2, evidence)
      expect(await mayLogin()).toBe(false)
    })
  }
})

describe('an operator killed while it adopts', () => {
  for (const side of SIDES) {
    it(`takes the roles over once when it dies ${side} adoptRoles`, async () => {
      const { pair, view } = await enrolled(`adopt-${side}`)
      await view.create(secretRotation(view.name, pair))
      const { metadata } = await view.settled(1, evidence)
      // As after a restore: the resource comes back under another uid, and nobody released the old one.
      await crash.world.api.mergePatch(view.path, { metadata: { finalizers: null } })
      await crash.world.api.ask('DELETE', view.path)
      await view.create(secretRotation(view.name, pair))
      await view.reason('ClaimedByOther', evidence)
      const victim = await crash.replicas.leader()
      await victim.arm(`adoptRoles.${side}:kill`)
      await view.annotate({ 'palisade.dev/adopt': metadata.uid ?? '' })
      await killed(victim)
      await crash.replicas.succeed(victim)
      await view.settled(1, evidence)
      await view.rotateNow('as the new owner')
      await view.settled(2, evidence)
    })
  }
})

describe('a leader that was stopped and comes back', () => {
  /** Stops the leader between intent and effect, lets the other finish that rotation and the next, and resumes. */
  async function resumeAfterTwo(place: string): Promise<void> {
    const { orders, replicas } = crash
    const version = (await orders.read()).status?.version ?? 0
    const sleeper = await replicas.leader()
    await startTowards(sleeper, orders, place)
    await stoppedAt(sleeper, place)
    await replicas.succeed(sleeper)
    await orders.settled(version + 1, evidence)
    await orders.rotateNow(`${place}/${version}/second`)
    await orders.settled(version + 2, evidence)
    const [secret, state] = [await orders.secret(), await orders.state()]
    sleeper.signal('SIGCONT')
    expect(await sleeper.ended).toBe(1)
    await sleep(500)
    expect(await orders.secret()).toEqual(secret)
    expect((await orders.state()).seq).toBe(state.seq)
    expect(await orders.login(secret['username'] ?? '', secret['password'] ?? '')).toBe(
      'shop_orders',
    )
  }

  for (const effect of ['setVerifier', 'disableLogin', 'destroyVerifier'] as const) {
    it(`is refused by the database at ${effect}`, async () => {
      const before = crash.world.db.log().length
      await resumeAfterTwo(`${effect}.before:stop`)
      expect(crash.world.db.log().slice(before)).toMatch(
        /the fence of role "shop_orders_[ab]" stands at/,
      )
    })
  }
})

describe('an operator that is told to end', () => {
  it('gives the lease back in the middle of a rotation, which the other completes once', async () => {
    const { orders, replicas } = crash
    const version = (await orders.read()).status?.version ?? 0
    const before = await orders.secret()
    const leader = await replicas.leader()
    const place = 'publishValue.before:stop'
    await startTowards(leader, orders, place)
    await stoppedAt(leader, place)
    leader.signal('SIGTERM')
    leader.signal('SIGCONT')
    expect(await leader.ended, leader.output()).toBe(0)
    expect(await replicas.holder()).not.toBe(leader.identity)
    await replicas.leader()
    await orders.settled(version + 1, evidence)
    await crash.expectOneMore(version + 1, before)
  })

  it('leaves the lease to its holder when it does not lead', async () => {
    const { replicas } = crash
    const leader = await replicas.leader()
    const other = await replicas.beside(leader)
    await expect.poll(() => other.probe('/readyz')).toBe(200)
    other.signal('SIGTERM')
    expect(await other.ended, other.output()).toBe(0)
    expect(await replicas.holder()).toBe(leader.identity)
  })
})

describe('an operator that starts', () => {
  it('is alive but not ready before its first list', async () => {
    const { world } = crash
    const { hostname: host, port } = new URL(world.api.url)
    const [nobody = 0] = await freePorts(1)
    const way = await startSwitch({ host, port: nobody })
    const kubeconfig = join(world.files.tlsDir, 'kubeconfig-by-another-way')
    const text = await readFile(world.files.kubeconfig, 'utf8')
    const server = `https://${way.host}:${way.port}`
    await writeFile(kubeconfig, text.replace(world.api.url, server), { mode: 0o600 })
    const newcomer = await startOperator(world, 'newcomer', { KUBECONFIG: kubeconfig })
    try {
      await expect.poll(() => newcomer.probe('/livez')).toBe(200)
      expect(await newcomer.probe('/readyz')).toBe(503)
      way.lead({ host, port: Number(port) })
      await expect.poll(() => newcomer.probe('/readyz')).toBe(200)
    } finally {
      await newcomer.stop()
      await way.stop()
    }
  })
})
