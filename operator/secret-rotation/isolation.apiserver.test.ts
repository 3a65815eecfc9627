import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Composition } from '../compose.ts'
import { composeIn } from '../../test/support/composition.ts'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { VaultKv } from '../adapters/vault-kv.ts'
import type { Deps } from '../ports.ts'
import { reconcile } from './reconcile.ts'
import type { StateRecord } from './state.ts'

const signal = AbortSignal.timeout(120_000)
let world: RotationWorld
let operator: OperatorProcess
let composition: Composition
/** The operator's parts with its own judgement taken out: only the backends are left to refuse. */
let credulous: Deps
let shop: RotationView

beforeAll(async () => {
  world = await startRotationWorld()
  for (const namespace of ['shop', 'rival']) await world.enable(namespace)
  await world.enrol('shop', 'shop_orders')
  operator = await startOperator(world, 'one')
  shop = new RotationView(world, 'orders')
  await shop.create(secretRotation('orders', 'shop_orders'))
  await shop.settled(1, () => operator.output())
  await operator.stop()
  composition = await composeIn(world)
  credulous = { ...composition.deps, eligibility: { refusal: () => undefined } }
})
afterAll(async () => {
  await composition?.close()
  await operator?.stop()
  await world?.stop()
})

describe('a resource of namespace rival, with the checks of the operator switched off', () => {
  it('is refused by the database when it names the role of shop', async () => {
    const thief = new RotationView(world, 'thief', 'rival')
    await thief.create(secretRotation('thief', 'shop_orders', { namespace: 'rival' }))
    const { metadata } = await thief.read()
    const standing = (await shop.state()).fences
    const owner = { cluster: 'test', namespace: 'rival', name: 'thief', uid: metadata.uid ?? '' }
    // As if every check of ours had let it pass: claimed, begun, and about to set its own verifier.
    const record: StateRecord = {
      ...(await shop.state()),
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
    const { username = '', password = '' } = await shop.secret()
    expect(await shop.login(username, password)).toBe('shop_orders')
    expect(await shop.login('shop_orders_a', 'a-value-of-the-thief')).toMatch(/^28/)
    expect((await shop.state()).fences).toEqual(standing)
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
    const { Sealed } = await import('#core/sealed')
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
