import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scramSha256Verifier } from '#core/scram'
import { Sealed } from '#core/sealed'
import { composeIn } from '../../test/support/composition.ts'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { consumer, keepPods, type PodKeeper } from '../../test/support/pod-keeper.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { startTowards, stoppedAt } from '../../test/support/stopped-operator.ts'
import { VaultClient } from '../adapters/vault-client.ts'
import { VaultKv } from '../adapters/vault-kv.ts'
import { createStateStore } from '../adapters/vault-stores.ts'
import type { Composition } from '../compose.ts'
import type { Deps, StoredValue, Versioned } from '../ports.ts'
import { reconcile } from './reconcile.ts'
import { ownerText, type StateRecord } from './state.ts'
import { observed } from './testkit/observed.ts'

/** Of the whole file; each of its cases has the limit of a test. */
const signal = AbortSignal.timeout(900_000)
const KEY = { namespace: 'shop', name: 'orders' }
const SEARCH = { namespace: 'shop', secret: 'orders-db', discover: true, extra: [] }

let world: RotationWorld
let operator: OperatorProcess
let pods: PodKeeper
let orders: RotationView
/** The parts of an operator that believes that it leads, in this process. */
let composition: Composition
/** What was true two rotations ago. */
let record: Versioned<StateRecord>
let value: Versioned<StoredValue>

beforeAll(async () => {
  world = await startRotationWorld()
  for (const namespace of ['shop', 'rival']) await world.enable(namespace)
  await world.enrol('shop', 'shop_orders')
  pods = keepPods(world.api, 'shop')
  const deployments = '/apis/apps/v1/namespaces/shop/deployments'
  await world.api.apply(consumer('orders', 'shop', 'orders-db'), deployments)
  composition = await composeIn(world)
  operator = await startOperator(world, 'one')
  orders = new RotationView(world, 'orders')
  await orders.create(secretRotation('orders', 'shop_orders'))
  await orders.settled(1, () => operator.output())
  const { states, values } = composition.deps
  record = (await states.read(KEY, signal)) as Versioned<StateRecord>
  value = (await values.read('shop', 'orders/db', signal)) as Versioned<StoredValue>
  for (const version of [2, 3]) {
    await orders.rotateNow(`turn-${version}`)
    await orders.settled(version, () => operator.output())
  }
  // From here on only the backends are left to refuse.
  await operator.stop()
})
afterAll(async () => {
  await composition?.close()
  await operator?.stop()
  await pods?.stop()
  await world?.stop()
})

/** What the backends hold of the rotation, verifiers and attributes of its users as digests. */
const now = async () => ({
  state: await orders.state(),
  secret: await orders.secret(),
  value: (await composition.deps.values.read('shop', 'orders/db', signal))?.cas,
  consumer: (await composition.deps.consumers.find(SEARCH, signal))[0]?.templateVersion,
  users: await world.db.query(
    `select rolname, md5(a::text) from pg_authid a where rolname like 'shop\\_orders%' order by 1`,
  ),
})

describe('the store of records', () => {
  it('keeps a record with 2,000 undelivered audit entries', async () => {
    const states = createStateStore(new VaultKv(composition.vault, 'palisade-state'), 'c')
    const entry = {
      action: 'rotation.begin' as const,
      rotationId: 'rotation',
      at: '2026-11-21T12:00:00Z',
      details: { reason: 'Requested', version: 1, role: 'shop_a' },
    }
    const outbox = Array.from({ length: 2_000 }, (_, seq) => ({ ...entry, seq }))
    const record = { ...observed().state.value, outbox }
    expect(await states.write(KEY, record, 0, signal)).toEqual({ kind: 'written', cas: 1 })
    expect(await states.read(KEY, signal)).toEqual({ value: record, cas: 1 })
  })

  it('answers stale to a write on a number that is not the newest', async () => {
    const states = createStateStore(new VaultKv(composition.vault, 'palisade-state'), 'c')
    const record = observed().state.value
    expect(await states.write(KEY, record, 0, signal)).toEqual({ kind: 'stale' })
  })

  it('says that the store refused a login, and not with which token', async () => {
    const file = join(tmpdir(), `palisade-token-${process.pid}`)
    await writeFile(file, await world.api.token('palisade-system', 'stranger'))
    const stranger = new VaultClient({
      address: world.bao.address,
      ca: world.bao.ca,
      authMount: 'kubernetes',
      tokenFile: file,
    })
    const reading = new VaultKv(stranger, 'palisade-state').read('palisade-operator', 'x', signal)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
    await stranger.close()
  })
})

describe('a resource of namespace rival, with the checks of the operator switched off', () => {
  let credulous: Deps
  beforeAll(() => {
    credulous = { ...composition.deps, eligibility: { refusal: () => undefined } }
  })

  it('is refused by the database when it names the role of shop', async () => {
    const thief = new RotationView(world, 'thief', 'rival')
    await thief.create(secretRotation('thief', 'shop_orders', { namespace: 'rival' }))
    const { metadata } = await thief.read()
    const standing = (await orders.state()).fences
    const owner = { cluster: 'test', namespace: 'rival', name: 'thief', uid: metadata.uid ?? '' }
    // As if every check of ours had let it pass: claimed, begun, and about to set its own verifier.
    const record: StateRecord = {
      ...(await orders.state()),
      owner,
      seq: 1_000,
      fences: standing,
      current: null,
      outbox: [],
      rotation: {
        id: 'forged',
        version: 1,
        role: 'shop_orders_a',
        reason: 'FirstIssue',
        step: 'setVerifier',
        startedAt: new Date().toISOString(),
        specDigest: '',
        pending: 'a-value-of-the-thief',
      },
    }
    await credulous.states.write(owner, record, 0, signal)
    const passes = async () => {
      for (let i = 0; i < 4; i += 1) await reconcile(owner, credulous, signal)
    }
    await expect(passes()).rejects.toMatchObject({ code: 'ERR_NOT_ENROLLED' })
    const { username = '', password = '' } = await orders.secret()
    expect(await orders.login(username, password)).toBe('shop_orders')
    expect(await orders.login('shop_orders_a', 'a-value-of-the-thief')).toMatch(/^28/)
    expect((await orders.state()).fences).toEqual(standing)
  })

  it('is refused by the store when its path leads out of its namespace', async () => {
    const path = '../shop/orders/db'
    const reading = credulous.values.read('rival', path, signal)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
    const forged = { owner: 'rival', released: false }
    const writing = credulous.values.write('rival', path, forged, 1, signal)
    await expect(writing).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
  })

  it('is refused by the store when the way out of its namespace is encoded', async () => {
    const reading = credulous.values.read('rival', '..%2Fshop/orders/db', signal)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
  })

  it('is refused by the store on paths of the platform and on the records of others', async () => {
    const asRival = (mount: string, path: string) =>
      new VaultKv(composition.vault, mount).read('palisade-ns-rival', path, signal)
    for (const [mount, path] of [
      ['platform', 'gateway/jwt-keys'],
      ['palisade-state', 'test/shop/orders'],
      ['apps', 'shop/orders/db'],
    ] as const) {
      await expect(asRival(mount, path)).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
    }
  })

  it('is refused by the API server when it takes over a Secret that is not of its rotation', async () => {
    const foreign = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'foreign' } }
    await world.api.apply(foreign, '/api/v1/namespaces/rival/secrets')
    const outcome = await credulous.secrets.apply(
      {
        namespace: 'rival',
        name: 'foreign',
        rotation: 'thief',
        seq: 1,
        version: 1,
        type: 'Opaque',
        labels: {},
        annotations: {},
        fields: Sealed.of({ password: 'x' }),
      },
      signal,
    )
    expect(outcome).toMatchObject({ kind: 'refused' })
  })

  it('is refused at the login of a namespace that has not opted in', async () => {
    await world.api.namespace('closed')
    const reading = credulous.values.read('closed', 'any/path', signal)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_NAMESPACE_NOT_ENABLED' })
  })
})

describe('a caller that slept through two rotations', () => {
  /** What it tries is answered like this, and changes nothing. */
  async function expectRefusal(attempt: () => Promise<unknown>, answer: unknown): Promise<void> {
    const before = await now()
    expect(await attempt().catch((error: unknown) => error)).toMatchObject(answer as object)
    expect(await now()).toEqual(before)
  }

  it('is refused by the store when it writes the record', async () => {
    await expectRefusal(
      () => composition.deps.states.write(KEY, record.value, record.cas, signal),
      {
        kind: 'stale',
      },
    )
  })

  it('is refused by the store when it publishes its value', async () => {
    await expectRefusal(
      () => composition.deps.values.write('shop', 'orders/db', value.value, value.cas, signal),
      { kind: 'stale' },
    )
  })

  it('is refused by the API server when it puts its value into the Secret', async () => {
    const secret = {
      ...{ namespace: 'shop', name: 'orders-db', rotation: 'orders', type: 'Opaque' },
      ...{ seq: record.value.seq, version: 1, labels: {}, annotations: {} },
      fields: Sealed.of({ password: 'of two rotations ago' }),
    }
    await expectRefusal(() => composition.deps.secrets.apply(secret, signal), {
      kind: 'stale',
      message: expect.stringContaining('stale fence: palisade.dev/seq is'),
    })
  })

  it('is refused by the API server when it restarts a consumer for its version', async () => {
    const [found] = await composition.deps.consumers.find(SEARCH, signal)
    expect(found?.templateVersion).toBe('3')
    const before = await now()
    const patch = {
      ...({ kind: 'Deployment', namespace: 'shop', name: 'orders' } as const),
      // It may read the workload anew; the number on it is what holds.
      resourceVersion: found?.resourceVersion ?? '',
      ...{ annotations: {}, templateAnnotations: { 'palisade.dev/orders-db': '1' } },
    }
    const refused = expect.stringContaining(
      "ValidatingAdmissionPolicy 'palisade-operator-workloads'",
    ) as string
    expect(await composition.deps.consumers.patch(patch, signal)).toEqual({ refused })
    expect(await now()).toEqual(before)
  })

  it.each(['setVerifier', 'disable', 'destroyVerifier', 'terminate'] as const)(
    'is refused by the database at %s',
    async (act) => {
      const backend = await composition.deps.backends.find('main', signal)
      if (!backend) throw new Error('no backend is called main')
      const database = composition.deps.databaseOf(backend)
      const { owner, seq, fences } = record.value
      const fence = {
        owner: ownerText(owner),
        expected: fences['shop_orders_a'] ?? 0,
        next: seq + 1,
      }
      const verifier = scramSha256Verifier('of the sleeper', { salt: randomBytes(16) })
      const attempt = (): Promise<unknown> =>
        act === 'setVerifier'
          ? database.setVerifier('shop_orders_a', fence, verifier)
          : database[act]('shop_orders_a', fence)
      await expectRefusal(attempt, { kind: 'stale' })
      const { username = '', password = '' } = await orders.secret()
      expect(await orders.login(username, password)).toBe('shop_orders')
    },
  )
})

describe('a Secret that carries a newer number than the record', () => {
  it('is left as it is, shown as StaleFence, and comes back once the words of the message were followed', async () => {
    const path = '/api/v1/namespaces/shop/secrets/orders-db'
    const before = await orders.secret()
    const metadata = { annotations: { 'palisade.dev/seq': '999999999' } }
    world.api.expectOk(await world.api.mergePatch(path, { metadata }))
    const pass = () => reconcile(KEY, composition.deps, signal)
    await expect(pass()).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
    const stalled = (await orders.read()).status?.conditions?.find(({ type }) => type === 'Stalled')
    expect(stalled).toMatchObject({ status: 'True', reason: 'StaleFence' })
    expect(stalled?.message).toContain('palisade.dev/seq is 999999999 and cannot go back to')
    const [, words = ''] =
      /kubectl (-n shop delete secret [a-z-]+);/.exec(stalled?.message ?? '') ?? []
    await world.api.kubectl(...words.split(' '))
    await pass()
    expect((await orders.read()).status?.conditions?.[0]?.reason).toBe('UpToDate')
    expect(await orders.secret()).toEqual(before)
  })
})

describe('a leader that was stopped before an effect and goes on two rotations later', () => {
  let sleeper: OperatorProcess
  beforeAll(async () => {
    // It does not look at its lease meanwhile: nobody but the backends is left to tell it.
    sleeper = await startOperator(world, 'sleeper', {
      PALISADE_LEASE_RETRY: '10m',
      PALISADE_RESYNC: '1h',
      PALISADE_POLL: '100ms',
    })
  })
  afterAll(() => sleeper?.stop())

  /** Another replica, whose passes are made here. */
  async function othersGoOnTo(version: number): Promise<void> {
    for (const end = Date.now() + 60_000; Date.now() < end;) {
      await reconcile(KEY, composition.deps, signal)
      const { status } = await orders.read()
      if (status?.version === version && status.step === 'Idle') return
      await sleep(20)
    }
    throw new Error(`version ${version} was not reached within a minute`)
  }

  const NOT_NEWEST = 'check-and-set parameter did not match the current version'
  it.each([
    ['recordState', () => world.bao.refused('palisade-state/data/test/shop/orders'), NOT_NEWEST],
    ['publishValue', () => world.bao.refused('apps/data/shop/orders/db'), NOT_NEWEST],
    [
      'applySecret',
      () => world.api.refused('/api/v1/namespaces/shop/secrets/orders-db'),
      'stale fence: palisade.dev/seq is',
    ],
    [
      'restartConsumer',
      () => world.api.refused('/apis/apps/v1/namespaces/shop/deployments/orders'),
      '409 Operation cannot be fulfilled',
    ],
  ])('is refused by the backend at %s', async (effect, refusals, why) => {
    const place = `${effect}.before:stop`
    const version = (await orders.read()).status?.version ?? 0
    await startTowards(sleeper, orders, place)
    await stoppedAt(sleeper, place)
    await othersGoOnTo(version + 1)
    await orders.rotateNow(`second after ${place}`)
    await othersGoOnTo(version + 2)
    const [before, told] = [await now(), (await refusals()).length]
    const since = async () => (await refusals()).slice(told)
    sleeper.signal('SIGCONT')
    // Once, or again where it tries again.
    await expect.poll(since).toContainEqual(expect.stringContaining(why))
    // Then it has looked again, and sees what is true.
    await orders.reason('UpToDate', () => sleeper.output())
    expect(await now()).toEqual(before)
  })
})
