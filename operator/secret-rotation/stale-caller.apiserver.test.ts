import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scramSha256Verifier } from '#core/scram'
import { Sealed } from '#core/sealed'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { consumer, keepPods, type PodKeeper } from '../../test/support/pod-keeper.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { compose, type Composition } from '../compose.ts'
import { readConfig } from '../config.ts'
import type { StoredValue, Versioned } from '../ports.ts'
import { silentLogger } from '../runtime/types.ts'
import { ownerText, type StateRecord } from './state.ts'

const signal = AbortSignal.timeout(120_000)
const KEY = { namespace: 'shop', name: 'orders' }
const SEARCH = { namespace: 'shop', secret: 'orders-db', discover: true, extra: [] }

let world: RotationWorld
let operator: OperatorProcess
let pods: PodKeeper
/** One that holds what was true two rotations ago, and believes that it leads. */
let sleeper: Composition
let record: Versioned<StateRecord>
let value: Versioned<StoredValue>
let orders: RotationView

const now = async () => ({
  state: await orders.state(),
  secret: await orders.secret(),
  value: (await sleeper.deps.values.read('shop', 'orders/db', signal))?.cas,
  consumer: (await sleeper.deps.consumers.find(SEARCH, signal))[0]?.templateVersion,
})

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  await world.enrol('shop', 'shop_orders')
  pods = keepPods(world.api, 'shop')
  const deployments = '/apis/apps/v1/namespaces/shop/deployments'
  await world.api.apply(consumer('orders', 'shop', 'orders-db'), deployments)
  const config = readConfig({
    PALISADE_PROFILE: 'dev',
    PALISADE_CLUSTER_ID: 'test',
    KUBECONFIG: world.files.kubeconfig,
    PALISADE_TLS_DIR: world.files.tlsDir,
    PALISADE_VAULT_ADDR: world.bao.address,
    PALISADE_VAULT_TOKEN_PATH: world.files.vaultToken,
  })
  sleeper = await compose(config, silentLogger, () => true)
  operator = await startOperator(world, 'one')
  orders = new RotationView(world, 'orders')
  await orders.create(secretRotation('orders', 'shop_orders', { overlap: { quiet: '0s' } }))
  await orders.settled(1, () => operator.output())
  const { states, values } = sleeper.deps
  record = (await states.read(KEY, signal)) as Versioned<StateRecord>
  value = (await values.read('shop', 'orders/db', signal)) as Versioned<StoredValue>
  for (const version of [2, 3]) {
    await orders.rotateNow(`turn-${version}`)
    await orders.settled(version, () => operator.output())
  }
  await operator.stop()
}, 180_000)
afterAll(async () => {
  await sleeper?.close()
  await operator?.stop()
  await pods?.stop()
  await world?.stop()
})

describe('a caller that slept through two rotations', () => {
  /** What it tries is answered like this, and changes nothing. */
  async function expectRefusal(attempt: () => Promise<unknown>, answer: unknown): Promise<void> {
    const before = await now()
    expect(await attempt().catch((error: unknown) => error)).toMatchObject(answer as object)
    expect(await now()).toEqual(before)
  }

  it('is refused by the store when it writes the record', async () => {
    await expectRefusal(() => sleeper.deps.states.write(KEY, record.value, record.cas, signal), {
      kind: 'stale',
    })
  })

  it('is refused by the store when it publishes its value', async () => {
    await expectRefusal(
      () => sleeper.deps.values.write('shop', 'orders/db', value.value, value.cas, signal),
      { kind: 'stale' },
    )
  })

  it('is refused by the API server when it puts its value into the Secret', async () => {
    const secret = {
      ...{ namespace: 'shop', name: 'orders-db', rotation: 'orders', type: 'Opaque' },
      ...{ seq: record.value.seq, version: 1, labels: {}, annotations: {} },
      fields: Sealed.of({ password: 'of two rotations ago' }),
    }
    await expectRefusal(() => sleeper.deps.secrets.apply(secret, signal), {
      kind: 'refused',
      message: expect.stringContaining('stale fence: palisade.dev/seq is'),
    })
  })

  it('is refused by the API server when it restarts a consumer for its version', async () => {
    const [found] = await sleeper.deps.consumers.find(SEARCH, signal)
    expect(found?.templateVersion).toBe('3')
    const before = await now()
    const patch = {
      ...({ kind: 'Deployment', namespace: 'shop', name: 'orders' } as const),
      // It may read the workload anew; the number on it is what holds.
      resourceVersion: found?.resourceVersion ?? '',
      ...{ annotations: {}, templateAnnotations: { 'palisade.dev/orders-db': '1' } },
    }
    expect(await sleeper.deps.consumers.patch(patch, signal)).toBe('refused')
    expect(await now()).toEqual(before)
  })

  it.each(['setVerifier', 'disable', 'destroyVerifier', 'terminate'] as const)(
    'is refused by the database at %s',
    async (act) => {
      const backend = await sleeper.deps.backends.find('main', signal)
      if (!backend) throw new Error('no backend is called main')
      const database = sleeper.deps.databaseOf(backend)
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
