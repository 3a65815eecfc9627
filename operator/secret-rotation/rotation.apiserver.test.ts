import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { consumer, keepPods } from '../../test/support/pod-keeper.ts'
import {
  callAsAdministrator,
  callAsMigrator,
  callAsOnboarder,
} from '../../test/support/platform-team.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { withClient } from '../../test/support/postgres.ts'

let world: RotationWorld
let operator: OperatorProcess
let pods: ReturnType<typeof keepPods>
const output = () => operator.output()

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  pods = keepPods(world.api, 'shop')
  operator = await startOperator(world, 'one')
})
afterAll(async () => {
  await operator?.stop()
  await pods?.stop()
  await world?.stop()
})

describe('SecretRotation of a pair of database users', () => {
  it.concurrent(
    'issues, publishes and retires three versions in turn, and shows no value anywhere',
    async () => {
      await world.enrol('shop', 'shop_orders')
      const orders = new RotationView(world, 'orders')
      await orders.create(secretRotation('orders', 'shop_orders', { overlap: { quiet: '1s' } }))
      const passwords: string[] = []
      for (const version of [1, 2, 3]) {
        if (version > 1) await orders.rotateNow(`turn-${version}`)
        const { status } = await orders.settled(version, output)
        const { username = '', password = '' } = await orders.secret()
        expect(username).toBe(version % 2 === 1 ? 'shop_orders_a' : 'shop_orders_b')
        expect(status?.user).toBe(username)
        expect(await orders.login(username, password)).toBe('shop_orders')
        passwords.push(password)
      }
      expect(new Set(passwords).size).toBe(3)
      expect(await orders.login('shop_orders_b', passwords[1] ?? '')).toMatch(/^28/)
      expect(await orders.login('shop_orders_a', passwords[0] ?? '')).toMatch(/^28/)
      const events = await world.api.get('/apis/events.k8s.io/v1/namespaces/shop/events')
      const sinks = [output(), JSON.stringify(events.body), JSON.stringify(await orders.read())]
      for (const password of passwords) {
        expect(JSON.stringify(await orders.state())).not.toContain(password)
        for (const sink of sinks) expect(sink).not.toContain(password)
        expect(world.db.log()).not.toContain(password)
      }
    },
  )

  it.concurrent('restarts a consumer once per version and none at the first', async () => {
    await world.enrol('shop', 'shop_cart')
    const cart = new RotationView(world, 'cart')
    const deployments = '/apis/apps/v1/namespaces/shop/deployments'
    await world.api.apply(consumer('cart', 'shop', 'cart-db'), deployments)
    await cart.create(secretRotation('cart', 'shop_cart'))
    await cart.settled(1, output)
    const template = async () => {
      const { body } = await world.api.get(`${deployments}/cart`)
      const { spec, metadata } = body as {
        spec: { template: { metadata: { annotations?: Record<string, string> } } }
        metadata: { generation: number }
      }
      return { ...spec.template.metadata.annotations, generation: metadata.generation }
    }
    expect(await template()).toEqual({ generation: 1 })
    await cart.rotateNow('once')
    await cart.settled(2, output)
    expect(await template()).toEqual({ 'palisade.dev/cart-db': '2', generation: 2 })
  })

  it.concurrent(
    'goes back to the old value when a consumer does not become Ready with the new one',
    async () => {
      await world.enrol('shop', 'shop_sick')
      const sick = new RotationView(world, 'sick')
      const deployments = '/apis/apps/v1/namespaces/shop/deployments'
      await world.api.apply(consumer('sick', 'shop', 'sick-db'), deployments)
      const restart = { coalesce: '0s', timeout: '1s' }
      const spec = { consumers: { restart } }
      await sick.create(secretRotation('sick', 'shop_sick', { spec }))
      await sick.settled(1, output)
      const before = await sick.secret()
      pods.sicken('sick', 'palisade.dev/sick-db', '2')
      await sick.rotateNow('into trouble')
      await sick.settled(3, output)
      expect(await sick.secret()).toEqual(before)
      expect(await sick.login(before['username'] ?? '', before['password'] ?? '')).toBe('shop_sick')
      const [failed] = await world.db.query<{ rolcanlogin: boolean }>(
        `select rolcanlogin from pg_roles where rolname = 'shop_sick_b'`,
      )
      expect(failed?.rolcanlogin).toBe(false)
    },
  )

  it.concurrent(
    'names the holder and keeps the previous user while one session of it is open',
    async () => {
      await world.enrol('shop', 'shop_held')
      const held = new RotationView(world, 'held')
      await held.create(secretRotation('held', 'shop_held'))
      await held.settled(1, output)
      const { username = '', password = '' } = await held.secret()
      await withClient(
        { ...world.db.as(username, password), application_name: 'report' },
        async (session) => {
          await held.rotateNow('with a holder')
          const { status } = await held.reason('PreviousStillInUse', output)
          expect(status?.previous).toMatchObject({
            user: 'shop_held_a',
            state: 'Valid',
            holders: [{ application: 'report', sessions: 1 }],
          })
          expect((await session.query('select 1')).rowCount).toBe(1)
        },
      )
      await held.settled(2, output)
      expect(await held.login(username, password)).toMatch(/^28/)
    },
  )

  it.concurrent('ends the sessions of a leaked user without waiting for them', async () => {
    await world.enrol('shop', 'shop_leak')
    const leak = new RotationView(world, 'leak')
    await leak.create(secretRotation('leak', 'shop_leak'))
    await leak.settled(1, output)
    const { username = '', password = '' } = await leak.secret()
    const ended = withClient(world.db.as(username, password), async (session) => {
      session.on('error', () => undefined)
      await leak.annotate({ 'palisade.dev/leaked': 'seen in a chat' })
      await session.query('select pg_sleep(100)')
    }).then(
      () => 'went on',
      (error: { code?: string }) => error.code,
    )
    await leak.settled(2, output)
    expect(await ended).toBe('57P01')
  })

  it('issues a new value at once when the current one is refused', async () => {
    await world.enrol('shop', 'shop_reset')
    const reset = new RotationView(world, 'reset')
    await reset.create(secretRotation('reset', 'shop_reset'))
    await reset.settled(1, output)
    await world.db.query(`alter role shop_reset_a password null`)
    await operator.stop()
    operator = await startOperator(world, 'one')
    await reset.settled(2, output)
    const { username = '', password = '' } = await reset.secret()
    expect(await reset.login(username, password)).toBe('shop_reset')
  })

  it('puts back a Secret that was deleted, unchanged', async () => {
    const orders = new RotationView(world, 'orders')
    const before = await orders.secret()
    await world.api.ask('DELETE', '/api/v1/namespaces/shop/secrets/orders-db')
    await orders.annotate({ touched: 'yes' })
    await expect.poll(() => orders.secret(), { timeout: 20_000 }).toEqual(before)
    expect((await orders.read()).status?.version).toBe(3)
  })

  it('tells a second resource on the same roles whose they are', async () => {
    const second = new RotationView(world, 'second')
    await second.create(secretRotation('second', 'shop_orders'))
    const { status } = await second.reason('ClaimedByOther', output)
    expect(status?.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('True')
    expect(status?.conditions?.[0]?.message).toContain('test/shop/orders/')
  })

  it('refuses names outside the pattern and a second kind of source by name', async () => {
    const named = new RotationView(world, 'named')
    await named.create(secretRotation('named', 'other_orders'))
    const { status } = await named.reason('NameOutsidePattern', output)
    expect(status?.conditions?.[0]?.message).toContain('other_orders_a')
    expect(status?.conditions?.[0]?.message).toContain('spec.names of RotationBackend "main"')
    const redis = new RotationView(world, 'redis')
    await redis.create(
      secretRotation('redis', 'x', {
        spec: { source: { redisUser: { connectionRef: { name: 'main' }, user: 'shop_app' } } },
      }),
    )
    await redis.reason('NotSupported', output)
  })
})

const messageOf = ({ status }: SecretRotation): string => status?.conditions?.[0]?.message ?? ''

describe('SecretRotation that cannot begin', () => {
  /** Neither in the store nor in the cluster, so that a corrected resource starts from nothing. */
  const expectNothingMade = async (name: string) => {
    const paths = [`palisade-state/data/test/shop/${name}`, `apps/data/shop/${name}/db`]
    for (const path of paths) expect((await world.bao.ask('GET', path)).status).toBe(404)
    const secret = await world.api.get(`/api/v1/namespaces/shop/secrets/${name}-db`)
    expect(secret.status).toBe(404)
  }

  it('names roles that nobody enrolled for its namespace, and begins once its words were followed', async () => {
    const unknown = new RotationView(world, 'unknown')
    await unknown.create(secretRotation('unknown', 'shop_unknown'))
    const message = messageOf(await unknown.reason('NotEnrolled', output))
    expect(message).toContain('shop_unknown_a and shop_unknown_b')
    await expectNothingMade('unknown')
    const [, words = ''] = /: palisade (enrol [\w -]+) \(/.exec(message) ?? []
    await callAsMigrator(world, words.split(' '))
    await unknown.annotate({ looked: 'again' })
    const { status } = await unknown.settled(1, output)
    expect(status?.user).toBe('shop_unknown_a')
  })

  it('names what opens its namespace in the store and then in the cluster, and begins once both is done', async () => {
    await world.api.namespace('newcomer', { 'palisade.dev/rotations': 'allowed' })
    await world.enrol('newcomer', 'newcomer_db')
    const orders = new RotationView(world, 'orders', 'newcomer')
    await orders.create(secretRotation('orders', 'newcomer_db', { namespace: 'newcomer' }))
    const closed = messageOf(await orders.reason('NamespaceNotEnabled', output))
    const [, words = ''] = /"palisade (enable [\w -]+)"/.exec(closed) ?? []
    const printed = await callAsOnboarder(world, words.split(' '))
    const { next, ...done } = JSON.parse(printed) as { next: string }
    expect(done).toEqual({ namespace: 'newcomer', roleBinding: 'left', store: 'open' })
    expect(closed).toContain(`and: ${next}`)
    const halfOpen = await orders.until(
      ({ conditions }) => conditions?.[0]?.message.includes('resource "secrets"') === true,
      output,
    )
    expect(halfOpen.status?.conditions?.[0]?.reason).toBe('NamespaceNotEnabled')
    expect(messageOf(halfOpen)).toContain(`bind it: ${next}`)
    const bound = JSON.parse(await callAsAdministrator(world, words.split(' '))) as object
    expect(bound).toMatchObject({ namespace: 'newcomer', roleBinding: 'created', store: 'left' })
    const { status } = await orders.settled(1, output)
    expect(status?.user).toBe('newcomer_db_a')
  })

  it('refuses a policy that nothing would keep to, and begins without it', async () => {
    await world.enrol('shop', 'shop_frozen')
    const frozen = new RotationView(world, 'frozen')
    const spec = { policyRef: { name: 'year-end' } }
    await frozen.create(secretRotation('frozen', 'shop_frozen', { spec }))
    expect(messageOf(await frozen.reason('NotSupported', output))).toContain('spec.policyRef')
    await expectNothingMade('frozen')
    await frozen.amend({ policyRef: null })
    await frozen.settled(1, output)
  })

  it('names a Secret that Kubernetes does not take, without its value', async () => {
    await world.enrol('shop', 'shop_odd')
    const odd = new RotationView(world, 'odd')
    const secret = { name: 'odd-db', template: { type: 'kubernetes.io/tls' } }
    await odd.create(secretRotation('odd', 'shop_odd', { spec: { secret } }))
    const message = messageOf(await odd.reason('SpecUnusable', output))
    expect(message).toContain('data[tls.crt]: Required value')
    expect(message).toContain('correct spec.secret.template')
    await odd.amend({ secret: { template: { type: 'Opaque' } } })
    await odd.settled(1, output)
    const { password = '' } = await odd.secret()
    for (const sink of [message, output()]) expect(sink).not.toContain(password)
  })

  it('names the database that does not answer, and what to check', async () => {
    const backends = '/apis/palisade.dev/v1alpha1/rotationbackends'
    const { body } = await world.api.get(`${backends}/main`)
    const { apiVersion, kind, spec } = body as { apiVersion: string; kind: string; spec: object }
    const endpoint = { host: '127.0.0.1', port: 1, database: 'palisade' }
    const metadata = { name: 'nowhere' }
    await world.api.apply(
      { apiVersion, kind, metadata, spec: { ...spec, endpoint } } as never,
      backends,
    )
    const lost = new RotationView(world, 'lost')
    const roles = ['shop_lost_a', 'shop_lost_b']
    const connectionRef = { name: 'nowhere' }
    const source = { postgresRole: { connectionRef, roles, memberOf: 'shop_lost' } }
    await lost.create(secretRotation('lost', 'shop_lost', { spec: { source } }))
    const { status } = await lost.reason('BackendUnreachable', output)
    expect(status?.conditions?.[0]?.message).toMatch(
      /no answer from 127\.0\.0\.1:1; check its endpoint, its CA and the network policy/,
    )
    await expectNothingMade('lost')
  })
})

describe('SecretRotation at a RotationBackend whose spec.maxConcurrent is 1', () => {
  it('waits while another moves, and begins at once when that one only waits', async () => {
    const backends = '/apis/palisade.dev/v1alpha1/rotationbackends'
    const { body } = await world.api.get(`${backends}/main`)
    const { apiVersion, kind, spec } = body as { apiVersion: string; kind: string; spec: object }
    const narrow = { apiVersion, kind, metadata: { name: 'narrow' } }
    await world.api.apply({ ...narrow, spec: { ...spec, maxConcurrent: 1 } } as never, backends)
    const create = async (name: string, overlap: Readonly<Record<string, string>>) => {
      const pair = `shop_${name}`
      await world.enrol('shop', pair)
      const roles = [`${pair}_a`, `${pair}_b`]
      const source = {
        postgresRole: { connectionRef: { name: 'narrow' }, roles, memberOf: pair },
      }
      const view = new RotationView(world, name)
      await view.create(secretRotation(name, pair, { overlap, spec: { source } }))
      await view.settled(1, output)
      return view
    }
    // The first one is watched for long: that is no reason for others to wait.
    const [first, second] = await Promise.all([create('first', { min: '10m' }), create('next', {})])
    const { username = '', password = '' } = await first.secret()
    await withClient(world.db.as(username, password), async () => {
      await first.rotateNow('now')
      await first.reason('PreviousStillInUse', output)
      await second.rotateNow('now')
      const { status } = await second.reason('WaitingForTurn', output)
      expect(status?.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'True' })
      expect(status).toMatchObject({ version: 1, step: 'Idle' })
    })
    const done = ({ version, step }: SecretRotationStatus) => version === 2 && step === 'Idle'
    await second.until(done, output, 20_000)
    expect((await first.read()).status?.step).not.toBe('Idle')
  })
})

describe.concurrent('release', () => {
  it('leaves the current user with Retain, and lets a new resource go on from its number', async ({
    expect,
  }) => {
    await world.enrol('shop', 'shop_keep')
    const keep = new RotationView(world, 'keep')
    await keep.create(secretRotation('keep', 'shop_keep'))
    await keep.settled(1, output)
    const { username = '', password = '' } = await keep.secret()
    await world.api.ask('DELETE', keep.path)
    await expect
      .poll(async () => (await world.api.get(keep.path)).status, { timeout: 20_000 })
      .toBe(404)
    expect(await keep.login(username, password)).toBe('shop_keep')
    const tombstone = await keep.state()
    expect(tombstone.released?.policy).toBe('Retain')
    await keep.create(secretRotation('keep', 'shop_keep'))
    await keep.settled(1, output)
    expect((await keep.state()).seq).toBeGreaterThan(tombstone.seq)
    await keep.rotateNow('again')
    await keep.settled(2, output)
    expect(await keep.login(username, password)).toMatch(/^28/)
  })

  it('shuts both users out with Revoke and destroys the value', async ({ expect }) => {
    await world.enrol('shop', 'shop_gone')
    const gone = new RotationView(world, 'gone')
    await gone.create(secretRotation('gone', 'shop_gone', { spec: { deletionPolicy: 'Revoke' } }))
    await gone.settled(1, output)
    const { username = '', password = '' } = await gone.secret()
    await world.api.ask('DELETE', gone.path)
    await expect
      .poll(async () => (await world.api.get(gone.path)).status, { timeout: 20_000 })
      .toBe(404)
    expect(await gone.login(username, password)).toMatch(/^28/)
    const left = await world.bao.ask('GET', 'apps/data/shop/gone/db')
    expect(JSON.stringify(left.body)).not.toContain(password)
  })
})

/** Every version of a path that the store still gives, as text. */
async function heldAt(mount: string, path: string): Promise<string> {
  const { body } = await world.bao.ask('GET', `${mount}/metadata/${path}`)
  const { versions } = body['data'] as { versions: Record<string, unknown> }
  const texts = await Promise.all(
    Object.keys(versions).map(async (version) => {
      const answer = await world.bao.ask('GET', `${mount}/data/${path}?version=${version}`)
      return JSON.stringify(answer.body)
    }),
  )
  expect(texts.length).toBeGreaterThan(0)
  return texts.join('\n')
}

async function rotated(name: string): Promise<{ retired: string[]; current: string }> {
  await world.enrol('shop', `shop_${name}`)
  const view = new RotationView(world, name)
  await view.create(secretRotation(name, `shop_${name}`))
  const passwords: string[] = []
  for (const version of [1, 2, 3]) {
    if (version > 1) await view.rotateNow(`turn-${version}`)
    await view.settled(version, output)
    passwords.push((await view.secret())['password'] ?? '')
  }
  return { retired: passwords.slice(0, 2), current: passwords[2] ?? '' }
}

describe('the versions that the store still holds after three rotations', () => {
  it('have no retired value, and no value at all outside the path of the application', async () => {
    const { retired, current } = await rotated('plain')
    const [values, records] = await Promise.all([
      heldAt('apps', 'shop/plain/db'),
      heldAt('palisade-state', 'test/shop/plain'),
    ])
    expect(values).toContain(current)
    for (const value of retired) expect(values).not.toContain(value)
    for (const value of [...retired, current]) expect(records).not.toContain(value)
    expect(records).not.toContain('pending')
  })

  it('have none either in a store that was made to keep ten of each', async () => {
    const config = { cas_required: true, max_versions: 10 }
    for (const mount of ['apps', 'palisade-state'])
      expect((await world.bao.ask('POST', `${mount}/config`, config)).status).toBeLessThan(300)
    const { retired, current } = await rotated('upgraded')
    const values = await heldAt('apps', 'shop/upgraded/db')
    for (const value of retired) expect(values).not.toContain(value)
    const records = await heldAt('palisade-state', 'test/shop/upgraded')
    for (const value of [...retired, current]) expect(records).not.toContain(value)
  })
})
