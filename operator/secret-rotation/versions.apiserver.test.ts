import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'

let world: RotationWorld
let operator: OperatorProcess
const output = () => operator.output()

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  operator = await startOperator(world, 'one')
})
afterAll(async () => {
  await operator?.stop()
  await world?.stop()
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
