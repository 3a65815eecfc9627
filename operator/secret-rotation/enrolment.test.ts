import { describe, expect, it } from 'vitest'
import { enrolCommand as cli } from '../../cli/migrate.ts'
import type { FenceStanding, RotatingDatabase } from '../ports.ts'
import type { Claimant } from './claimant.ts'
import { isRefusal } from './eligibility.ts'
import { enrolCommand, enrolledPair } from './enrolment.ts'

/** As the fence answers: about each of its roles with the whole pair. */
function pairOf(enrolled: readonly (readonly string[])[], roles: readonly [string, string]) {
  const standing = (role: string): Promise<FenceStanding | undefined> => {
    const pair = enrolled.find((names) => names.includes(role))
    if (!pair) return Promise.resolve(undefined)
    return Promise.resolve({ owner: null, seqs: Object.fromEntries(pair.map((n) => [n, 0])) })
  }
  const by = {
    source: { connectionRef: { name: 'main' }, roles, memberOf: 'shop_orders' },
    backend: { metadata: { name: 'main' } },
    address: { host: 'db', port: 5432, database: 'shop' },
    database: { standing } as Partial<RotatingDatabase>,
  } as unknown as Claimant
  const owner = { cluster: 'c', namespace: 'shop', name: 'orders', uid: 'u' }
  return enrolledPair(by, owner)
}
const messageOf = async (answer: Promise<object>) => {
  const given = await answer
  if (!isRefusal(given)) throw new Error('it was not refused')
  expect(given.reason).toBe('NotEnrolled')
  return given.message
}

describe('enrolledPair', () => {
  it('is the pair as the fence knows it', async () => {
    const seqs = { shop_a: 0, shop_b: 0 }
    expect(await pairOf([['shop_b', 'shop_a']], ['shop_a', 'shop_b'])).toMatchObject({ seqs })
  })

  it('gives the call that enrols two roles which are in no pair', async () => {
    const message = await messageOf(pairOf([], ['shop_a', 'shop_b']))
    expect(message).toContain('palisade enrol shop_a shop_b shop_orders shop shop (')
  })

  it.each([
    [['shop_a', 'shop_old'], 'role shop_a is enrolled as a pair with shop_old, not with shop_b'],
    [['shop_b', 'shop_old'], 'role shop_b is enrolled as a pair with shop_old, not with shop_a'],
  ])('gives no such call where %j are a pair: it would be refused', async (pair, cause) => {
    const message = await messageOf(pairOf([pair], ['shop_a', 'shop_b']))
    expect(message).toContain(cause)
    expect(message).not.toContain('palisade enrol')
  })

  it('stays within 1,024 characters', async () => {
    const [a, b] = ['a'.repeat(63), 'b'.repeat(63)]
    expect((await messageOf(pairOf([], [a, b]))).length).toBeLessThan(800)
  })
})

describe('enrolCommand', () => {
  it('has as many words as the command takes', () => {
    const pair = { roles: ['a', 'b'], memberOf: 'g', database: 'd' } as const
    const usage = cli.usage.replace(/<[a-z_]+>/g, 'x').split(' ')
    expect(enrolCommand(pair, 'n').split(' ')).toHaveLength(usage.length + 1)
  })
})
