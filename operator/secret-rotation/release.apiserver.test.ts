import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { composeIn } from '../../test/support/composition.ts'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import {
  ROTATIONS,
  startRotationWorld,
  type RotationWorld,
} from '../../test/support/rotation-world.ts'
import type { Composition } from '../compose.ts'
import { reconcile } from './reconcile.ts'

const MINUTE = 60_000
const REVOKE = { spec: { deletionPolicy: 'Revoke' } }
const output = () => operator.output()
let world: RotationWorld
let operator: OperatorProcess

/** Issued while everything was well; the cases begin when PostgreSQL is gone. */
async function issue(
  name: string,
  change: Parameters<typeof secretRotation>[2] = {},
): Promise<RotationView> {
  const { namespace = 'shop' } = change
  const pair = `${namespace}_${name}`
  await world.enrol(namespace, pair)
  const view = new RotationView(world, name, namespace)
  await view.create(secretRotation(name, pair, change))
  await view.settled(1, output)
  return view
}

const remove = (view: RotationView) => world.api.ask('DELETE', view.path)
const isThere = async (view: RotationView) => (await world.api.get(view.path)).status === 200
const untilGone = (view: RotationView, timeout = 30_000) =>
  expect.poll(() => isThere(view), { timeout, interval: 200 }).toBe(false)

async function eventsOf(name: string, namespace = 'shop'): Promise<string[]> {
  const { body } = await world.api.get(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)
  const items = body['items'] as { reason: string; note: string; regarding: { name: string } }[]
  return items
    .filter(({ reason, regarding }) => reason === 'Orphaned' && regarding.name === name)
    .map(({ note }) => note)
}

const actionsOf = async (view: RotationView) =>
  (await view.state()).outbox.map(({ action }) => action)

let keep: RotationView
let back: RotationView
let given: RotationView
let spare: RotationView
let closing: RotationView
let lost: RotationView
let passwords: Readonly<Record<string, string>>

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  await world.enable('closing')
  const { body } = await world.api.get(`${ROTATIONS}/rotationbackends/main`)
  const { apiVersion, kind, spec } = body as { apiVersion: string; kind: string; spec: object }
  const second = { apiVersion, kind, metadata: { name: 'second' }, spec }
  await world.api.apply(second, `${ROTATIONS}/rotationbackends`)
  operator = await startOperator(world, 'one', { PALISADE_RESYNC: '1s' })
  keep = await issue('keep')
  back = await issue('back', REVOKE)
  given = await issue('given', REVOKE)
  const source = {
    postgresRole: {
      connectionRef: { name: 'second' },
      roles: ['shop_spare_a', 'shop_spare_b'],
      memberOf: 'shop_spare',
    },
  }
  spare = await issue('spare', { spec: { ...REVOKE.spec, source } })
  closing = await issue('late', { ...REVOKE, namespace: 'closing' })
  lost = await issue('lost')
  passwords = await back.secret()
  await world.db.kill()
})
afterAll(async () => {
  await operator?.stop()
  await world?.stop()
})

describe('a release with Retain while PostgreSQL is dead', () => {
  it('waits for it a minute, writes the tombstone, an event and an audit entry, and lets go', async () => {
    await remove(keep)
    await keep.reason('Releasing', output)
    expect((await keep.state()).released).toBeUndefined()
    await untilGone(keep, 90_000)
    const { released, outbox, rotation } = await keep.state()
    expect({ policy: released?.policy, rotation }).toEqual({ policy: 'Retain', rotation: null })
    expect(outbox.at(-1)).toMatchObject({
      action: 'rotation.orphan',
      details: { cause: 'ERR_BACKEND_UNREACHABLE', roles: 'shop_keep_a,shop_keep_b' },
    })
    await expect.poll(() => eventsOf('keep')).toHaveLength(1)
    expect((await eventsOf('keep'))[0]).toContain('no answer from')
  })
})

describe('a release with Revoke while PostgreSQL is dead', () => {
  it('keeps the finalizer and names the command that gives it up, which then works', async () => {
    await remove(given)
    const { status, metadata } = await given.reason('Releasing', output)
    expect(metadata.finalizers).toEqual(['palisade.dev/release'])
    const message = status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
    const command = /kubectl -n (\S+) annotate --overwrite srot (\S+) (\S+)=(\S+)$/.exec(message)
    const [, namespace, name, annotation = '', id = ''] = command ?? []
    expect({ namespace, name }).toEqual({ namespace: 'shop', name: 'given' })
    await given.annotate({ [annotation]: id })
    await untilGone(given)
    expect((await given.state()).released?.policy).toBe('Abandoned')
    expect(await actionsOf(given)).toContain('rotation.abandon')
  })

  it('lets go when the RotationBackend is deleted', async () => {
    await remove(spare)
    await spare.reason('Releasing', output)
    await world.api.ask('DELETE', `${ROTATIONS}/rotationbackends/second`)
    await untilGone(spare)
    expect(await actionsOf(spare)).toContain('rotation.orphan')
    await expect.poll(() => eventsOf('spare')).toHaveLength(1)
  })

  it('revokes when PostgreSQL is back', async () => {
    await remove(back)
    await back.reason('Releasing', output)
    await world.db.revive()
    await untilGone(back)
    const { username = '', password = '' } = passwords
    expect(await back.login(username, password)).toMatch(/^28/)
    expect((await back.state()).released?.policy).toBe('Revoke')
    expect(await eventsOf('back')).toEqual([])
  })

  it('leaves its users to a resource of the same name, and to no other', async () => {
    const other = new RotationView(world, 'other')
    await other.create(secretRotation('other', 'shop_keep'))
    await other.reason('ClaimedByOther', output)
    await keep.create(secretRotation('keep', 'shop_keep'))
    await keep.settled(1, output)
    await keep.rotateNow('by the heir')
    await keep.settled(2, output)
  })
})

describe('a release in a namespace that is going', () => {
  const namespace = 'closing'
  let composition: Composition
  beforeAll(async () => {
    await world.db.kill()
    await world.api.ask('DELETE', `/api/v1/namespaces/${namespace}`)
    composition = await composeIn(world)
  })
  afterAll(() => composition?.close())

  /** A pass as it would be at a later moment. The running operator may write at the same one: then it is made again. */
  async function passIn(ms: number, key = { namespace, name: 'late' }): Promise<void> {
    const clock = { now: () => new Date(Date.now() + ms) }
    const deps = { ...composition.deps, clock }
    const pass = () => reconcile(key, deps, AbortSignal.timeout(MINUTE))
    const isConflict = (error: unknown) => (error as { status?: number }).status === 409
    for (let isMade = false; !isMade;) {
      isMade = await pass().then(
        () => true,
        (error: unknown) => {
          if (!isConflict(error)) throw error
          return false
        },
      )
    }
  }

  it('holds up no other namespace, though nothing can be made in it any more', async () => {
    const answer = await world.api.post(`/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: 'new' },
    })
    expect(answer.status).toBe(403)
    await world.api.ask('DELETE', `/api/v1/namespaces/${namespace}/secrets/late-db`)
    await remove(closing)
    await closing.reason('Releasing', output)
    await remove(keep)
    await keep.reason('Releasing', output)
    await passIn(MINUTE, { namespace: 'shop', name: 'keep' })
    await untilGone(keep)
  })

  it('waits for the backend for 10 minutes and then lets go by itself', async () => {
    await passIn(9 * MINUTE)
    expect(await isThere(closing)).toBe(true)
    await passIn(11 * MINUTE)
    await untilGone(closing)
    expect((await closing.state()).released?.policy).toBe('Revoke')
  })
})

describe('a release with the store dead as well', () => {
  it('tells of the orphan by an event and lets go', async () => {
    await world.bao.stop()
    await remove(lost)
    await untilGone(lost)
    await expect.poll(() => eventsOf('lost')).toHaveLength(1)
    expect((await eventsOf('lost'))[0]).toContain('the store did not answer either')
  })
})
