import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '#api/audit-event'
import { startIntake, tokenFor } from '../../test/support/intake.ts'
import { killed } from '../../test/support/operator-process.ts'
import { Replicas } from '../../test/support/replicas.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'

let world: RotationWorld
let intake: Awaited<ReturnType<typeof startIntake>>
/** Whatever is delivered is delivered by itself: they look at everything once an hour. */
let replicas: Replicas
let orders: RotationView
const evidence = () => replicas.output()

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

async function expectAllTold(view: RotationView): Promise<void> {
  const outbox = async () => (await view.state()).outbox
  await expect.poll(outbox, { timeout: 60_000 }).toEqual([])
}

beforeAll(async () => {
  world = await startRotationWorld()
  intake = await startIntake(world.api, world.db)
  const token = await tokenFor(world.api, 'operator')
  const tokenFile = join(world.files.tlsDir, 'gateway-token')
  await writeFile(tokenFile, token, { mode: 0o600 })
  replicas = new Replicas(world, {
    PALISADE_GATEWAY_URL: intake.url,
    PALISADE_GATEWAY_TOKEN_PATH: tokenFile,
  })
  await world.enable('shop')
  await world.enrol('shop', 'shop_orders')
  orders = new RotationView(world, 'orders')
})
afterEach(() => replicas?.disarm())
afterAll(async () => {
  await replicas?.stop()
  await intake?.stop()
  await world?.stop()
})

describe('an operator whose gateway answers', () => {
  it('tells each step of a rotation, and its outbox is empty afterwards', async () => {
    await replicas.leader()
    await orders.create(secretRotation('orders', 'shop_orders'))
    await orders.settled(1, evidence)
    await orders.rotateNow('first')
    await orders.settled(2, evidence)
    await expectAllTold(orders)
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
      const victim = await replicas.leader()
      await victim.arm(`dropDelivered.${side}:kill`)
      await orders.rotateNow(`dies ${side}`)
      await killed(victim)
      expect((await steps('orders')).length).toBeGreaterThan(0)
      await replicas.succeed(victim)
      await orders.settled(version + 1, evidence)
      await expectAllTold(orders)
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
    await orders.rotateNow('nobody listens')
    await orders.settled(version + 1, evidence)
    const waiting = (await orders.state()).outbox.map(({ action }) => action)
    expect(waiting).toEqual(expect.arrayContaining(['rotation.begin', 'rotation.complete']))
    expect(actionsOf(await steps('orders'), version + 1)).toEqual([])
    await intake.comeBack()
    await expectAllTold(orders)
    expect(actionsOf(await steps('orders'), version + 1)).toEqual([
      'rotation.begin',
      'rotation.publish',
      'rotation.complete',
    ])
  })

  it('tells what a deleted resource could not, even when another process has to', async () => {
    await world.enrol('shop', 'shop_gone')
    const gone = new RotationView(world, 'gone')
    const one = await replicas.leader()
    await gone.create(secretRotation('gone', 'shop_gone'))
    const { metadata } = await gone.settled(1, evidence)
    await expectAllTold(gone)
    await intake.goAway()
    await world.api.ask('DELETE', gone.path)
    const status = async () => (await world.api.get(gone.path)).status
    await expect.poll(status, { timeout: 30_000 }).toBe(404)
    one.signal('SIGKILL')
    await killed(one)
    await intake.comeBack()
    await replicas.succeed(one)
    await expectAllTold(gone)
    const told = await steps('gone')
    expect(told.at(-1)).toMatchObject({
      eventType: 'rotation.release',
      subject: { id: `test/shop/gone/${metadata.uid}` },
    })
  })
})
