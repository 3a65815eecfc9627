import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '#api/audit-event'
import { startIntake, tokenFor } from '../../test/support/intake.ts'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/palisade-system/leases/palisade-operator'

let world: RotationWorld
let intake: Awaited<ReturnType<typeof startIntake>>
let orders: RotationView
const running = new Set<OperatorProcess>()

async function operator(identity: string, failpoint?: string): Promise<OperatorProcess> {
  const started = await startOperator(world, identity, {
    // Whatever is delivered below is delivered by itself, not by the next look at everything.
    PALISADE_RESYNC: '1h',
    PALISADE_GATEWAY_URL: intake.url,
    PALISADE_GATEWAY_TOKEN_PATH: join(world.files.tlsDir, 'gateway-token'),
    ...(failpoint === undefined ? {} : { PALISADE_FAILPOINT: failpoint }),
  })
  running.add(started)
  return started
}
const freeLease = () => world.api.ask('DELETE', LEASE)

/** What the audit log holds of one resource, in the order of its steps. */
async function steps(name: string): Promise<AuditEvent[]> {
  const rows = await world.db.query<{ record: Buffer }>(
    'select record from palisade.secret_audit_logs order by inserted_at',
  )
  return rows
    .map(({ record }) => JSON.parse(record.toString()) as AuditEvent)
    .filter(({ subject }) => subject.id.startsWith(`test/shop/${name}/`))
    .sort((a, b) => Number(a.details?.['entrySeq']) - Number(b.details?.['entrySeq']))
}
const keysOf = (events: readonly AuditEvent[]) =>
  events.map(({ eventType, subject, details }) =>
    [subject.id, details?.['entryRotation'], details?.['entrySeq'], eventType].join(' '),
  )
const actionsOf = (events: readonly AuditEvent[], version: number) =>
  events.filter(({ details }) => details?.['version'] === version).map((one) => one.eventType)

async function expectAllTold(view: RotationView, of: OperatorProcess): Promise<void> {
  const outbox = async () => (await view.state()).outbox
  await expect.poll(outbox, { timeout: 60_000, message: of.output() }).toEqual([])
}

beforeAll(async () => {
  world = await startRotationWorld()
  intake = await startIntake(world.api, world.db)
  const token = await tokenFor(world.api, 'operator')
  await writeFile(join(world.files.tlsDir, 'gateway-token'), token, { mode: 0o600 })
  await world.enable('shop')
  await world.enrol('shop', 'shop_orders')
  orders = new RotationView(world, 'orders')
})
afterEach(async () => {
  await Promise.all([...running].map((each) => each.stop()))
  running.clear()
})
afterAll(async () => {
  await intake?.stop()
  await world?.stop()
})

describe('an operator whose gateway answers', () => {
  it('tells each step of a rotation, and its outbox is empty afterwards', async () => {
    const one = await operator('one')
    await orders.create(secretRotation('orders', 'shop_orders'))
    await orders.settled(1, () => one.output())
    await orders.rotateNow('first')
    await orders.settled(2, () => one.output())
    await expectAllTold(orders, one)
    const told = await steps('orders')
    expect(actionsOf(told, 2)).toEqual(['rotation.begin', 'rotation.publish', 'rotation.complete'])
    expect(actionsOf(told, 1)).toEqual(
      expect.arrayContaining(['rotation.disable', 'rotation.destroy']),
    )
    expect(new Set(told.map(({ actor }) => actor.id))).toEqual(
      new Set(['test/palisade-system/operator']),
    )
    const { password = '' } = await orders.secret()
    expect(JSON.stringify(told)).not.toContain(password)
  })

  for (const side of ['before', 'after']) {
    it(`tells each step once when it dies ${side} it drops what was taken`, async () => {
      const version = (await orders.read()).status?.version ?? 0
      const victim = await operator('victim', `dropDelivered.${side}:kill`)
      await orders.rotateNow(`dies ${side}`)
      const ended = await Promise.race([victim.ended, sleep(60_000, 'alive')])
      expect(ended, victim.output()).toBe('SIGKILL')
      expect((await steps('orders')).length).toBeGreaterThan(0)
      await freeLease()
      const heir = await operator('heir')
      await orders.settled(version + 1, () => heir.output())
      await expectAllTold(orders, heir)
      const told = await steps('orders')
      expect(new Set(keysOf(told)).size).toBe(told.length)
      expect(actionsOf(told, version + 1)).toEqual([
        'rotation.begin',
        'rotation.publish',
        'rotation.complete',
      ])
    })
  }
})

describe('an operator whose gateway is away', () => {
  it('completes the rotation all the same, and tells it when the gateway is back', async () => {
    const version = (await orders.read()).status?.version ?? 0
    await intake.goAway()
    const one = await operator('one')
    await orders.rotateNow('nobody listens')
    await orders.settled(version + 1, () => one.output())
    const waiting = (await orders.state()).outbox.map(({ action }) => action)
    expect(waiting).toEqual(expect.arrayContaining(['rotation.begin', 'rotation.complete']))
    expect(actionsOf(await steps('orders'), version + 1)).toEqual([])
    await intake.comeBack()
    await expectAllTold(orders, one)
    expect(actionsOf(await steps('orders'), version + 1)).toEqual([
      'rotation.begin',
      'rotation.publish',
      'rotation.complete',
    ])
  })

  it('tells what a deleted resource could not, even when another process has to', async () => {
    await world.enrol('shop', 'shop_gone')
    const gone = new RotationView(world, 'gone')
    const one = await operator('one')
    await gone.create(secretRotation('gone', 'shop_gone'))
    const { metadata } = await gone.settled(1, () => one.output())
    await expectAllTold(gone, one)
    await intake.goAway()
    await world.api.ask('DELETE', gone.path)
    const status = async () => (await world.api.get(gone.path)).status
    await expect.poll(status, { timeout: 30_000 }).toBe(404)
    await one.stop()
    await intake.comeBack()
    const two = await operator('two')
    await expectAllTold(gone, two)
    const told = await steps('gone')
    expect(told.at(-1)).toMatchObject({
      eventType: 'rotation.release',
      subject: { id: `test/shop/gone/${metadata.uid}` },
    })
  })
})
