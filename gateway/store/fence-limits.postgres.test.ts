import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'

const OWNER = 'cluster-1/shop/orders-db/uid-1'
const MOST = 1_000_000
let db: PalisadeDatabase
let operator: pg.Client
let pair = 0
let role = ''

beforeAll(async () => {
  db = await startPalisadeDatabase()
  operator = new pg.Client(db.operator)
  await operator.connect()
})
afterAll(async () => {
  await operator?.end()
  await db?.stop()
})
beforeEach(async () => {
  const group = `shop_orders${(pair += 1)}`
  role = `${group}_a`
  await withClient(db.migrator, async (client) => {
    await client.query('set role palisade_fence')
    await client.query(`select palisade_fence.enrol($1, $2, $3, 'palisade', 'shop')`, [
      ...[role, `${group}_b`, group],
    ])
    await client.query('reset role')
  })
})

type Moving = 'disable_login' | 'enable_login' | 'destroy_verifier' | 'release' | 'resync'
const call = (name: Moving, expected: number | string, next: number | string, owner = OWNER) =>
  operator.query(`select palisade_fence.${pg.escapeIdentifier(name)}($1, $2, $3, $4)`, [
    ...[role, owner, expected, next],
  ])
const standing = async () =>
  (
    await operator.query<{ seq: string; owner: string | null; can_login: boolean }>(
      'select seq, owner, can_login from palisade_fence.observe($1) where role_name = $1',
      [role],
    )
  ).rows[0]

describe('the number of a role', () => {
  it.each<Moving>(['disable_login', 'enable_login', 'destroy_verifier', 'release', 'resync'])(
    'does not move by more than a million at once in %s',
    async (name) => {
      await expect(call(name, 0, MOST + 1)).rejects.toMatchObject({ code: 'PL001' })
      expect(await standing()).toMatchObject({ seq: '0' })
      await call(name, 0, MOST)
      expect(await standing()).toMatchObject({ seq: String(MOST) })
    },
  )

  it('cannot be brought to the end of its type, where nothing would follow it', async () => {
    await expect(call('disable_login', 0, '9223372036854775807')).rejects.toMatchObject({
      code: 'PL001',
    })
    await call('disable_login', 0, 1)
  })
})

describe('resync', () => {
  it('moves the number on and leaves login and owner as they are', async () => {
    await call('enable_login', 0, 5)
    await call('resync', 5, 90)
    expect(await standing()).toEqual({ seq: '90', owner: OWNER, can_login: true })
  })

  it.each([
    ['from a number that does not stand there', 4, 90],
    ['back', 5, 4],
    ['nowhere', 5, 5],
  ])('does not move it %s', async (_, from, to) => {
    await call('enable_login', 0, 5)
    await expect(call('resync', from, to)).rejects.toMatchObject({ code: 'PL001' })
    expect(await standing()).toMatchObject({ seq: '5' })
  })

  it('is refused to another owner, and to everybody but the operator', async () => {
    await call('enable_login', 0, 5)
    const other = 'cluster-1/shop/other/uid-2'
    await expect(call('resync', 5, 6, other)).rejects.toMatchObject({ code: 'PL002' })
    const asApp = withClient(db.app, (client) =>
      client.query('select palisade_fence.resync($1, $2, 5, 6)', [role, OWNER]),
    )
    await expect(asApp).rejects.toMatchObject({ code: '42501' })
  })

  it('refuses a step that was under way before it', async () => {
    await call('enable_login', 0, 5)
    await call('resync', 5, 90)
    await expect(call('disable_login', 5, 6)).rejects.toMatchObject({ code: 'PL001' })
  })
})
