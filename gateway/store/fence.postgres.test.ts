import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { scramSha256Verifier } from '../../core/scram.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'

const OWNER = 'cluster-1/shop/orders-db/uid-1'
let db: PalisadeDatabase
let operator: pg.Client
let pair = 0
let a = ''
let b = ''
let group = ''

beforeAll(async () => {
  // The server logs everything it can: what must not be in the log is kept out in spite of that.
  db = await startPalisadeDatabase({
    settings: { log_statement: 'all', log_min_duration_statement: '0' },
  })
  operator = new pg.Client(db.operator)
  await operator.connect()
})
afterAll(async () => {
  await operator?.end()
  await db?.stop()
})
beforeEach(async () => {
  pair += 1
  ;[a, b, group] = [`shop_orders${pair}_a`, `shop_orders${pair}_b`, `shop_orders${pair}`]
  await enrol(a, b, group, 'shop')
})

/** Both roles, their group, the namespace. */
type Enrolment = [string, string, string, string]

function enrol(...[roleA, roleB, memberOf, namespace]: Enrolment): Promise<void> {
  return withClient(db.migrator, async (client) => {
    await client.query('set role palisade_fence')
    await client.query('select palisade_fence.enrol($1, $2, $3, $4, $5)', [
      ...[roleA, roleB, memberOf, 'palisade', namespace],
    ])
    await client.query('reset role')
  })
}

/** The second begins while the first is done and not committed, and waits for it; what comes of the second. */
function enrolBeside(first: Enrolment, end: 'commit' | 'rollback', second: Enrolment) {
  return withClient(db.migrator, async (client) => {
    await client.query('begin')
    await client.query('set local role palisade_fence')
    const [roleA, roleB, memberOf, namespace] = first
    await client.query(`select palisade_fence.enrol($1, $2, $3, 'palisade', $4)`, [
      ...[roleA, roleB, memberOf, namespace],
    ])
    const outcome = Promise.allSettled([enrol(...second)])
    const waiting = `select from pg_stat_activity where usename = 'palisade_migrator' and wait_event_type = 'Lock'`
    await expect.poll(() => db.query(waiting)).toHaveLength(1)
    await client.query(end)
    return (await outcome)[0]
  })
}

const newPassword = () => randomBytes(32).toString('base64url')
const verifierOf = (password: string) => scramSha256Verifier(password, { salt: randomBytes(16) })

const setVerifier = (
  role: string,
  expected: number,
  next: number,
  password: string,
  owner = OWNER,
) =>
  operator.query('select palisade_fence.set_verifier($1, $2, $3, $4, $5)', [
    ...[role, owner, expected, next, verifierOf(password)],
  ])
const call = (name: string, role: string, expected: number, next: number, owner = OWNER) =>
  operator.query(`select palisade_fence.${pg.escapeIdentifier(name)}($1, $2, $3, $4)`, [
    ...[role, owner, expected, next],
  ])

async function logsIn(role: string, password: string): Promise<boolean> {
  try {
    await withClient(db.as(role, password), (client) => client.query('select 1'))
    return true
  } catch (error) {
    if (error instanceof pg.DatabaseError && /^28/.test(error.code ?? '')) return false
    throw error
  }
}

describe('set_verifier', () => {
  it('lets the role log in with the password behind the verifier, and with no other', async () => {
    const password = newPassword()
    expect(await logsIn(a, password)).toBe(false)
    await setVerifier(a, 0, 1, password)
    expect(await logsIn(a, password)).toBe(true)
    expect(await logsIn(a, newPassword())).toBe(false)
  })

  it('refuses a caller that slept through two rotations, and leaves the newer value in place', async () => {
    const [mine, newer] = [newPassword(), newPassword()]
    await setVerifier(a, 0, 3, newPassword())
    await setVerifier(a, 3, 9, newer)
    await expect(setVerifier(a, 0, 1, mine)).rejects.toMatchObject({ code: 'PL001' })
    await expect(setVerifier(a, 3, 10, mine)).rejects.toMatchObject({ code: 'PL001' })
    expect(await logsIn(a, newer)).toBe(true)
  })

  it.each([
    [4, 4],
    [4, 3],
  ])('refuses to go from number %i to %i', async (from, to) => {
    await setVerifier(a, 0, 4, newPassword())
    await expect(setVerifier(a, from, to, newPassword())).rejects.toMatchObject({ code: 'PL001' })
  })

  it('lets one of two callers with the same number through', async () => {
    const second = new pg.Client(db.operator)
    await second.connect()
    const attempts = await Promise.allSettled(
      [operator, second].map((client) =>
        client.query('select palisade_fence.set_verifier($1, $2, 0, 1, $3)', [
          ...[a, OWNER, verifierOf(newPassword())],
        ]),
      ),
    )
    await second.end()
    expect(attempts.map((attempt) => attempt.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('refuses another owner in the same namespace, for either user of the pair', async () => {
    await setVerifier(a, 0, 1, newPassword())
    const other = 'cluster-1/shop/other/uid-2'
    await expect(setVerifier(a, 1, 2, newPassword(), other)).rejects.toMatchObject({
      code: 'PL002',
    })
    await expect(setVerifier(b, 0, 2, newPassword(), other)).rejects.toMatchObject({
      code: 'PL002',
    })
  })

  it.each(['cluster-1/evil/orders-db/uid-1', 'shop', 'cluster-1/shop', '', '/shop//'])(
    'refuses the owner %j, which is not of the namespace that the pair is enrolled for',
    async (owner) => {
      await expect(setVerifier(a, 0, 1, newPassword(), owner)).rejects.toMatchObject({
        code: 'PL003',
      })
    },
  )

  it.each(['palisade_owner', 'palisade_migrator', 'palisade_operator', 'postgres', 'no_such_role'])(
    'refuses %s, which nobody enrolled',
    async (role) => {
      await expect(setVerifier(role, 0, 1, newPassword())).rejects.toMatchObject({ code: 'PL003' })
    },
  )

  it('refuses a role that was given more than LOGIN after it had been enrolled', async () => {
    await db.query(`alter role ${pg.escapeIdentifier(a)} createdb`)
    await expect(setVerifier(a, 0, 1, newPassword())).rejects.toMatchObject({ code: 'PL004' })
  })

  it.each([
    'hunter2',
    'md5d41d8cd98f00b204e9800998ecf8427e',
    'SCRAM-SHA-256$4096:AAAA$BBBB:CCCC',
    null,
  ])('refuses %j, which is no verifier, and does not move the fence', async (value) => {
    const wrong = operator.query('select palisade_fence.set_verifier($1, $2, 0, 1, $3)', [
      a,
      OWNER,
      value,
    ])
    await expect(wrong).rejects.toMatchObject({ code: 'PL005' })
    await setVerifier(a, 0, 1, newPassword())
  })

  it("leaves no verifier in the server's log, neither when it is done nor when it fails", async () => {
    const done = verifierOf(newPassword())
    const failing = verifierOf(newPassword())
    const text = 'select palisade_fence.set_verifier($1, $2, $3, $4, $5)'
    await operator.query(text, [a, OWNER, 0, 1, done])
    await expect(operator.query(text, [a, OWNER, 0, 1, failing])).rejects.toThrow()
    // The fence loses its hold on the role, so that ALTER ROLE itself fails.
    await db.query(`revoke ${pg.escapeIdentifier(b)} from palisade_fence cascade`)
    await expect(operator.query(text, [b, OWNER, 0, 1, failing])).rejects.toMatchObject({
      code: 'PL004',
    })
    expect(db.log()).toContain('revoke')
    for (const verifier of [done, failing]) {
      expect(db.log()).not.toContain(verifier)
      expect(db.log()).not.toContain(verifier.split(':').at(-1))
    }
  })
})

describe('disable_login', () => {
  it('refuses new logins, keeps the verifier, and enable_login lets them in again', async () => {
    const password = newPassword()
    await setVerifier(a, 0, 1, password)
    await call('disable_login', a, 1, 2)
    expect(await logsIn(a, password)).toBe(false)
    await call('enable_login', a, 2, 3)
    expect(await logsIn(a, password)).toBe(true)
  })

  it('refuses a stale number', async () => {
    await setVerifier(a, 0, 5, newPassword())
    await expect(call('disable_login', a, 1, 6)).rejects.toMatchObject({ code: 'PL001' })
  })
})

describe('destroy_verifier', () => {
  it('makes the old password worthless even after the login is enabled again', async () => {
    const password = newPassword()
    await setVerifier(a, 0, 1, password)
    await call('destroy_verifier', a, 1, 2)
    await call('enable_login', a, 2, 3)
    expect(await logsIn(a, password)).toBe(false)
  })
})

describe('release and adopt', () => {
  it('lets another resource claim a released pair, from the number where it stands', async () => {
    await setVerifier(a, 0, 7, newPassword())
    await operator.query('select palisade_fence.release($1, $2, 7, 8)', [a, OWNER])
    const next = 'cluster-1/shop/orders-db/uid-2'
    await expect(setVerifier(a, 0, 1, newPassword(), next)).rejects.toMatchObject({ code: 'PL001' })
    await setVerifier(a, 8, 9, newPassword(), next)
  })

  it('hands a claim to a resource of the same namespace that names the old owner', async () => {
    await setVerifier(a, 0, 1, newPassword())
    const adopt = (from: string, to: string) =>
      operator.query('select palisade_fence.adopt($1, $2, $3, 1, 2)', [a, from, to])
    const heir = 'cluster-2/shop/orders-db/uid-9'
    await expect(adopt('cluster-1/shop/guess/uid-1', heir)).rejects.toMatchObject({ code: 'PL002' })
    await expect(adopt(OWNER, 'cluster-1/evil/orders-db/uid-9')).rejects.toMatchObject({
      code: 'PL003',
    })
    await adopt(OWNER, heir)
    await setVerifier(a, 2, 3, newPassword(), heir)
  })
})

describe('sessions', () => {
  it('shows who is connected as the role and ends them, but only with the right number', async () => {
    const password = newPassword()
    await setVerifier(a, 0, 1, password)
    const holder = new pg.Client({ ...db.as(a, password), application_name: 'orders-7c' })
    const ended = new Promise((resolve) => holder.on('error', resolve))
    await holder.connect()
    const seen = () =>
      operator.query<{ state: string }>('select * from palisade_fence.sessions($1)', [a])
    expect((await seen()).rows).toMatchObject([{ application_name: 'orders-7c', state: 'idle' }])
    const terminate = (expected: number) =>
      operator.query('select palisade_fence.terminate_sessions($1, $2, $3)', [a, OWNER, expected])
    await expect(terminate(0)).rejects.toMatchObject({ code: 'PL001' })
    await terminate(1)
    await ended
    await expect.poll(async () => (await seen()).rows).toEqual([])
  })

  it('shows nobody of a role that is not enrolled', async () => {
    const { rows } = await operator.query(
      `select * from palisade_fence.sessions('palisade_operator')`,
    )
    expect(rows).toEqual([])
  })
})

describe('the operator login', () => {
  it.each([
    'alter role palisade_app_a password null',
    'alter role palisade_app_a nologin',
    'create role evil login',
    'drop role palisade_app_a',
    'grant palisade_owner to palisade_operator',
    'set role palisade_fence',
    'set role palisade_owner',
    'update palisade_fence.pairs set owner = null',
    'select * from palisade_fence.pairs',
    `select palisade_fence.hold('palisade_app_a', 'c/palisade-system/n/u', 0)`,
    `select palisade_fence.alter_login('palisade_app_a', false, null, true)`,
    `select palisade_fence.enrol('x_a', 'x_b', 'x', 'palisade', 'shop')`,
    'select * from palisade.secret_audit_logs',
    'select * from palisade.secret_versions',
  ])('cannot: %s', async (text) => {
    await expect(operator.query(text)).rejects.toMatchObject({ code: '42501' })
  })
})

describe('the fence itself', () => {
  it('cannot alter a superuser or the owner, even from inside', async () => {
    for (const role of ['postgres', 'palisade_owner', 'palisade_migrator']) {
      await withClient(db.migrator, async (client) => {
        await client.query('set role palisade_fence')
        const text = `alter role ${pg.escapeIdentifier(role)} nologin`
        await expect(client.query(text)).rejects.toMatchObject({ code: '42501' })
      })
    }
  })
})

describe('a pair', () => {
  it("makes objects that belong to the group, so that either user can use the other's", async () => {
    const [pa, pb] = [newPassword(), newPassword()]
    await setVerifier(a, 0, 1, pa)
    await setVerifier(b, 0, 1, pb)
    const schema = pg.escapeIdentifier(group)
    await db.query(`create schema ${schema} authorization ${schema}`)
    await withClient(db.as(a, pa), (client) =>
      client.query(`create table ${schema}.orders (id int)`),
    )
    await withClient(db.as(b, pb), (client) =>
      client.query(`alter table ${schema}.orders add column at date`),
    )
    const owner = await db.query('select tableowner from pg_tables where schemaname = $1', [group])
    expect(owner).toEqual([{ tableowner: group }])
  })
})

describe('enrol', () => {
  it('changes nothing when it is done again with the same words', async () => {
    await setVerifier(a, 0, 1, newPassword())
    await enrol(a, b, group, 'shop')
    await setVerifier(a, 1, 2, newPassword())
  })

  it('refuses to give a pair to another namespace', async () => {
    await expect(enrol(a, b, group, 'evil')).rejects.toMatchObject({ code: 'PL002' })
  })

  it.each(['postgres', 'palisade_owner', 'palisade_operator'])(
    'refuses the existing role %s',
    async (role) => {
      await expect(enrol(role, 'evil_b', 'evil', 'evil')).rejects.toMatchObject({ code: 'PL004' })
    },
  )

  it.each<[string, string, 'commit' | 'rollback']>([
    ['another pair of the same database', 'early', 'commit'],
    ['the same pair', 'late', 'commit'],
    ['the same pair, which is rolled back', 'late', 'rollback'],
  ])('succeeds beside an enrolment of %s', async (_, first, end) => {
    const [late, early] = [`shop_late${pair}`, `shop_${first}${pair}`]
    const words = (name: string): Enrolment => [`${name}_a`, `${name}_b`, name, 'shop']
    const outcome = await enrolBeside(words(early), end, words(late))
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
    for (const name of end === 'commit' ? [early, late] : [late]) {
      const preflight = 'select code from palisade_fence.preflight($1, $2, $3)'
      const { rows } = await operator.query(preflight, words(name).slice(0, 3))
      expect(rows).toEqual([])
    }
    const enrolled = `select from palisade_fence.pairs where member_of = $1`
    expect(await db.query(enrolled, [late])).toHaveLength(1)
  })

  it('refuses a pair that is being enrolled for another namespace', async () => {
    const words = [`shop_wanted${pair}_a`, `shop_wanted${pair}_b`, `shop_wanted${pair}`] as const
    const outcome = await enrolBeside([...words, 'shop'], 'commit', [...words, 'evil'])
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PL002' } })
  })

  it('leaves nothing half made when it refuses', async () => {
    await expect(enrol('postgres', 'left_b', 'left', 'evil')).rejects.toThrow()
    expect(await db.query(`select rolname from pg_roles where rolname like 'left%'`)).toEqual([])
  })

  it('makes roles that cannot log in before their first verifier', async () => {
    const rows = await db.query('select rolcanlogin from pg_roles where rolname in ($1, $2)', [
      a,
      b,
    ])
    expect(rows).toEqual([{ rolcanlogin: false }, { rolcanlogin: false }])
  })
})

describe('preflight', () => {
  const problems = async (...args: [string, string, string]) => {
    const { rows } = await operator.query<{ code: string }>(
      'select * from palisade_fence.preflight($1, $2, $3)',
      args,
    )
    return rows.map((row) => row.code)
  }

  it('finds nothing wrong with an enrolled pair', async () => {
    expect(await problems(a, b, group)).toEqual([])
  })

  it('names roles that do not exist, and a group that does not', async () => {
    expect(await problems('x_a', 'x_b', 'x')).toEqual([
      'GroupMissing',
      'RoleMissing',
      'RoleMissing',
    ])
  })

  it("names a role that is not enrolled, is too powerful and is not the fence's", async () => {
    expect(await problems(a, 'postgres', group)).toEqual(
      expect.arrayContaining(['NotEnrolled', 'TooPowerful', 'NotAdministered']),
    )
  })

  it('names the missing SET role, a membership that was taken away, and what went with it', async () => {
    await db.query(`alter role ${pg.escapeIdentifier(a)} in database palisade reset role`)
    const revoke = `revoke ${pg.escapeIdentifier(group)} from ${pg.escapeIdentifier(b)}`
    await db.query(`${revoke} granted by palisade_fence`)
    expect(await problems(a, b, group)).toEqual(['SetRoleMissing', 'NotMember', 'CannotConnect'])
  })

  it('names a role that owns objects', async () => {
    await db.query(
      `create schema ${pg.escapeIdentifier(`${group}_own`)} authorization ${pg.escapeIdentifier(b)}`,
    )
    expect(await problems(a, b, group)).toEqual(['OwnsObjects'])
  })
})
