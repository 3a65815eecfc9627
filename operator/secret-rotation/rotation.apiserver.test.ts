import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import {
  ROTATIONS,
  startRotationWorld,
  type RotationWorld,
} from '../../test/support/rotation-world.ts'
import { once } from '../../test/support/postgres.ts'

let world: RotationWorld
let operator: OperatorProcess

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  operator = await startOperator(world, 'one')
})
afterAll(async () => {
  await operator?.stop()
  await world?.stop()
})

const path = (name: string) => `${ROTATIONS}/namespaces/shop/secretrotations/${name}`
const read = async (name: string) =>
  (await world.api.get(path(name))).body as unknown as SecretRotation

async function settled(name: string, version: number): Promise<SecretRotation> {
  const end = Date.now() + 60_000
  for (;;) {
    const rotation = await read(name)
    const { status } = rotation
    if (status?.version === version && status.step === 'Idle') return rotation
    if (Date.now() > end) {
      throw new Error(`not settled: ${JSON.stringify(status, null, 1)}\n${operator.output()}`)
    }
    await sleep(100)
  }
}

async function secretOf(name: string): Promise<Record<string, string>> {
  const answer = await world.api.get(`/api/v1/namespaces/shop/secrets/${name}`)
  const data = (answer.body['data'] ?? {}) as Record<string, string>
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}

const login = (user: string, password: string) =>
  once<{ current_user: string }>(world.db.as(user, password), 'select current_user').then(
    ([row]) => row?.current_user,
    (error: { code?: string }) => error.code,
  )

describe('SecretRotation of a pair of database users', () => {
  it('issues, publishes and retires three versions in turn', async () => {
    await world.enrol('shop', 'shop_orders')
    await world.api.apply(
      secretRotation('orders', 'shop_orders'),
      `${ROTATIONS}/namespaces/shop/secretrotations`,
    )
    await settled('orders', 1)
    const passwords: string[] = []
    for (const version of [1, 2, 3]) {
      if (version > 1) {
        await world.api.mergePatch(path('orders'), {
          metadata: { annotations: { 'palisade.dev/rotate-now': `turn-${version}` } },
        })
      }
      const rotation = await settled('orders', version)
      const secret = await secretOf('orders-db')
      const user = version % 2 === 1 ? 'shop_orders_a' : 'shop_orders_b'
      expect(secret['username']).toBe(user)
      expect(rotation.status?.user).toBe(user)
      expect(await login(user, secret['password'] ?? '')).toBe('shop_orders')
      passwords.push(secret['password'] ?? '')
    }
    expect(new Set(passwords).size).toBe(3)
    expect(await login('shop_orders_b', passwords[1] ?? '')).toMatch(/^28/)
    expect(await login('shop_orders_a', passwords[0] ?? '')).toMatch(/^28/)
    for (const password of passwords) expect(operator.output()).not.toContain(password)
  })
})
