import assert from 'node:assert/strict'
import { diesInFlight } from './crash-places.ts'
import { killed } from './operator-process.ts'
import { consumer, keepPods, type PodKeeper } from './pod-keeper.ts'
import { Replicas } from './replicas.ts'
import { secretRotation } from './rotation-objects.ts'
import { RotationView } from './rotation-view.ts'
import { startRotationWorld, type RotationWorld } from './rotation-world.ts'
import { startTowards } from './stopped-operator.ts'

type Credential = Readonly<Record<string, string>>

/** A world with one rotation at rest, `orders`, that has a consumer, and two replicas to be killed. */
export class CrashWorld {
  readonly world: RotationWorld
  readonly pods: PodKeeper
  readonly replicas: Replicas
  readonly orders: RotationView

  private constructor(world: RotationWorld) {
    this.world = world
    this.pods = keepPods(world.api, 'shop')
    this.replicas = new Replicas(world)
    this.orders = new RotationView(world, 'orders')
  }

  static async start(): Promise<CrashWorld> {
    const world = await startRotationWorld()
    try {
      await world.enable('shop')
      await world.enrol('shop', 'shop_orders')
      const crash = new CrashWorld(world)
      await crash.employ('orders')
      await crash.orders.create(secretRotation('orders', 'shop_orders'))
      await crash.replicas.leader()
      await crash.orders.settled(1, crash.evidence)
      return crash
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  readonly evidence = (): string => this.replicas.output()

  /** A Deployment that reads the Secret of the rotation of the same name. */
  async employ(name: string): Promise<void> {
    const deployments = '/apis/apps/v1/namespaces/shop/deployments'
    await this.world.api.apply(consumer(name, 'shop', `${name}-db`), deployments)
  }

  /**
   * Kills the leader at a place of a rotation of `orders`, and sees that the other replica completes it. The heir may
   * be armed too: the rotation is then completed by whoever comes after. Answers how many died.
   */
  async dieAt(place: string, heirsPlace = ''): Promise<number> {
    const { orders, replicas } = this
    const version = (await orders.read()).status?.version ?? 0
    const before = await orders.secret()
    const victim = await replicas.leader()
    const heir = await replicas.beside(victim)
    await heir.arm(heirsPlace)
    await startTowards(victim, orders, place)
    await killed(victim)
    const { rotation } = await orders.state()
    const where = `it did not die where it should have:\n${victim.output()}`
    assert.equal(rotation !== null, diesInFlight(place), where)
    await replicas.succeed(victim)
    const settled = orders.settled(version + 1, this.evidence)
    const end = await Promise.race([settled, heir.ended])
    if (end === 'SIGKILL') await replicas.succeed(heir)
    else await heir.arm('')
    await settled
    await this.expectOneMore(version + 1, before)
    return end === 'SIGKILL' ? 2 : 1
  }

  async stop(): Promise<void> {
    await this.replicas.stop()
    await this.pods.stop()
    await this.world.stop()
  }

  /** What must hold after any crash: one more version, no second value, and the old one opens nothing. */
  async expectOneMore(version: number, before: Credential): Promise<void> {
    const { orders } = this
    const { username = '', password = '' } = await orders.secret()
    assert.notEqual(username, before['username'])
    assert.equal(await orders.login(username, password), 'shop_orders')
    const old = await orders.login(before['username'] ?? '', before['password'] ?? '')
    assert.match(old ?? '', /^28/)
    const { outbox, rotation, previous, lastHandledRotateNow } = await orders.state()
    assert.deepEqual({ rotation, previous }, { rotation: null, previous: null })
    // A wish that is not on record as fulfilled is taken up again at the next look.
    const { metadata } = await orders.read()
    assert.equal(lastHandledRotateNow, metadata.annotations?.['palisade.dev/rotate-now'])
    for (const action of ['rotation.begin', 'rotation.publish', 'rotation.complete']) {
      const told = outbox.filter(
        (entry) => entry.action === action && entry.details['version'] === version,
      )
      assert.deepEqual(
        told.map((entry) => entry.action),
        [action],
      )
    }
  }
}
