import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePassword } from '#core/password'
import { scramSha256Verifier } from '#core/scram'
import { loginAsOperator, type OperatorLogin, psql, tryLogin } from '../support/database.ts'
import { rotation } from '../support/rotate.ts'
import { closeTeam, openBackends } from '../support/team-ground.ts'
import { namesOf } from '../support/team-objects.ts'
import { openVault, type Vault } from '../support/vault.ts'

/**
 * What the operator would ask for if it checked nothing: under its own logins, on behalf of a resource of a namespace
 * that is opened for rotations itself. Here only the backends are left to refuse.
 */
const HOLDER = namesOf('holder')
const RIVAL = namesOf('rival')
const PLATFORM = 'palisade-system'
const HOLDERS_OWN = 'local/holder/orders/41d0b7aa'
const RIVALS_OWN = 'local/rival/thief/6f9a2c1e'
const VALUE = `apps/data/${HOLDER.namespace}/${HOLDER.path}`
const FUNCTIONS = [
  ...(['set_verifier', 'disable_login', 'enable_login', 'destroy_verifier'] as const),
  ...(['release', 'resync', 'adopt', 'terminate_sessions'] as const),
]
type FencedFunction = (typeof FUNCTIONS)[number]

const password = generatePassword()
const verifier = scramSha256Verifier(password, { salt: randomBytes(16) })

interface User {
  readonly role: string
  readonly namespace: string
  readonly owner: string
  /** Where its fence stands: no number shall be the reason of a refusal. */
  readonly seq: number
}

let vault: Vault
let database: OperatorLogin
const tokens = new Map<string, string>()

beforeAll(async () => {
  ;[vault, database] = await Promise.all([openVault(), loginAsOperator()])
  for (const names of [HOLDER, RIVAL]) await openBackends(names, vault)
  const login = async (of: string, account: string, role: string) =>
    tokens.set(of, await vault.loginAs(account, role))
  await Promise.all([
    ...[HOLDER.namespace, RIVAL.namespace, PLATFORM].map((namespace) =>
      login(namespace, 'operator', `palisade-ns-${namespace}`),
    ),
    login('operator', 'operator', 'palisade-operator'),
    login('gateway', 'gateway', 'palisade-gateway'),
  ])
})
afterAll(async () => {
  for (const { namespace } of [HOLDER, RIVAL]) await closeTeam(namespace)
  await Promise.all([vault?.close(), database?.close()])
})

const counterOf = (path: string): string => path.replace('/data/', '/metadata/')
const tokenOf = (of: string): string => tokens.get(of) ?? ''

/** What the store answers: `done`, or status and text. */
const asked = (of: string, method: 'GET' | 'POST', path: string, body?: object): Promise<string> =>
  vault.call(tokenOf(of), method, path, body).then(
    () => 'done',
    (error: Error) => error.message.replace(`${method} ${path}: `, ''),
  )

/** What the database answers: `done`, or SQLSTATE and text. */
async function called(
  [text, values = []]: readonly [string, (readonly unknown[])?],
  end: 'commit' | 'rollback' = 'rollback',
): Promise<string> {
  const { client } = database
  await client.query('begin')
  try {
    await client.query(text, [...values])
    return 'done'
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return `${code} ${message}`
  } finally {
    await client.query(end)
  }
}

function fenced(name: FencedFunction, { role, seq, ...user }: User, owner: string) {
  const values: Partial<Record<FencedFunction, readonly unknown[]>> = {
    set_verifier: [role, owner, seq, seq + 1, verifier],
    // An annotation, which the thief writes itself, says who hands it over.
    adopt: [role, user.owner, owner, seq, seq + 1],
    terminate_sessions: [role, owner, seq],
  }
  const given = values[name] ?? [role, owner, seq, seq + 1]
  const places = given.map((_, index) => `$${index + 1}`)
  return [`select palisade_fence.${name}(${places.join()})`, given] as const
}

async function usersOf(...namespaces: readonly string[]): Promise<readonly User[]> {
  const rows = await psql(`select r.role, p.namespace, p.owner, r.seq
    from palisade_fence.pair_roles r join palisade_fence.pairs p on p.id = r.pair_id
    where p.namespace in ('${namespaces.join("', '")}') order by r.role`)
  return rows.map(([role = '', namespace = '', owner = '', seq]) => {
    return { role, namespace, owner, seq: Number(seq) }
  })
}

/** What lies in the secret store of these users' rotations and of the platform, each with who may read its counters. */
async function pathsOf(users: readonly User[]): Promise<readonly (readonly [string, string])[]> {
  const owners = new Set(users.filter((user) => user.namespace === PLATFORM).map((u) => u.owner))
  const parts = [...owners].map((owner) => owner.split('/'))
  const values = parts.map(async ([, , name = '']) => {
    const { spec } = await rotation(PLATFORM, name)
    return [`apps/data/${PLATFORM}/${spec.store.path}`, PLATFORM] as const
  })
  const records = parts.map((owner) => `palisade-state/data/${owner.slice(0, 3).join('/')}`)
  return [
    [VALUE, HOLDER.namespace],
    ...(await Promise.all(values)),
    ...records.map((path) => [path, 'operator'] as const),
    ['platform/data/gateway/jwt-keys', 'gateway'],
  ]
}

describe('a namespace that asks for what is its own', () => {
  it('is let through to its user by the database, and to its path by the store', async () => {
    const [first] = await usersOf(HOLDER.namespace)
    if (!first) throw new Error('the pair is not enrolled')
    expect(await called(fenced('set_verifier', first, HOLDERS_OWN), 'commit')).toBe('done')
    expect(await tryLogin(first.role, password, 'palisade')).toBe('accepted')
    // A path keeps its counter, whatever a run before this one left of it.
    const counter = await vault.call(tokenOf(HOLDER.namespace), 'GET', counterOf(VALUE))
    const options = { cas: Number(counter?.['current_version'] ?? 0) }
    const value = { options, data: { palisade_owner: HOLDERS_OWN } }
    expect(await asked(HOLDER.namespace, 'POST', VALUE, value)).toBe('done')
  })
})

describe('a resource of another namespace, with every check of the operator switched off', () => {
  let users: readonly User[]
  let paths: Awaited<ReturnType<typeof pathsOf>>
  let before: Awaited<ReturnType<typeof world>>
  beforeAll(async () => {
    users = await usersOf(HOLDER.namespace, PLATFORM)
    paths = await pathsOf(users)
    before = await world()
  })

  /** Every attribute of the users, verifiers included, as digests; their fences; the counters of the store. */
  async function world() {
    const roles = users.map(({ role }) => role).join("', '")
    const counters = paths.map(([path, of]) => vault.call(tokenOf(of), 'GET', counterOf(path)))
    return {
      users: await psql(
        `select rolname, md5(a::text) from pg_authid a where rolname in ('${roles}') order by 1`,
      ),
      fences: await usersOf(HOLDER.namespace, PLATFORM),
      stored: await Promise.all(counters),
    }
  }

  it.each(FUNCTIONS)('is refused by the database at %s, whose it is not', async (name) => {
    expect(new Set(users.map(({ namespace }) => namespace)).size).toBe(2)
    for (const user of users) {
      const { role, namespace } = user
      // A fence that let it through would break this test and not the platform.
      const end = namespace === PLATFORM ? 'rollback' : 'commit'
      expect(await called(fenced(name, user, RIVALS_OWN), end)).toBe(
        `PL003 role "${role}" is enrolled for namespace "${namespace}", not for "${RIVALS_OWN}"`,
      )
      // The owner with the same number. Sessions that are ended do not come back with a rollback.
      const endsSessions = name === 'terminate_sessions' && namespace === PLATFORM
      if (!endsSessions) expect(await called(fenced(name, user, user.owner)), role).toBe('done')
    }
  })

  it('is refused by the database when it goes past these functions', async () => {
    const [a, b] = users.map(({ role }) => role)
    const enrol = 'select palisade_fence.enrol($1, $2, $3, $4, $5)'
    const denied = (what: string) => `42501 permission denied ${what}`
    expect(await called([`alter role "${a}" password null`])).toBe(denied('to alter role'))
    expect(await called([`alter role "${a}" nologin`])).toBe(denied('to alter role'))
    expect(await called(['set role palisade_fence'])).toBe(denied('to set role "palisade_fence"'))
    expect(await called([`update palisade_fence.pairs set namespace = 'rival'`])).toBe(
      denied('for table pairs'),
    )
    expect(await called([enrol, [a, b, HOLDER.pair, 'palisade', 'rival']])).toBe(
      denied('for function enrol'),
    )
  })

  it('is refused by the store on every path of theirs, where the owner gets as far as the number', async () => {
    const denied = expect.stringMatching(/^403 .*permission denied/)
    for (const [path, owner] of paths) {
      // A store that let it through would do no harm: the number is old, and there is no such version.
      const write = { options: { cas: 0 }, data: { a: 'b' } }
      const answers = [
        await asked(RIVAL.namespace, 'GET', path),
        await asked(RIVAL.namespace, 'POST', path, write),
        await asked(RIVAL.namespace, 'POST', path.replace('/data/', '/destroy/'), {
          versions: [1_000_000],
        }),
        await asked(RIVAL.namespace, 'POST', counterOf(path), { max_versions: 2 }),
      ]
      expect(answers, path).toEqual([denied, denied, denied, denied])
      // Keys of the gateway are made once and changed by nobody.
      if (owner === 'gateway') continue
      expect(await asked(owner, 'POST', path, write), path).toMatch(/^400 .*check-and-set/)
    }
  })

  it('is refused by the store on a path that leads out of its own folder', async () => {
    const out = `apps/data/${RIVAL.namespace}/../${HOLDER.namespace}/${HOLDER.path}`
    const write = { options: { cas: 1 }, data: { a: 'b' } }
    expect(await asked(RIVAL.namespace, 'POST', out, write)).toMatch(/^403 .*permission denied/)
    const encoded = out.replace('../', '..%2F')
    expect(await asked(RIVAL.namespace, 'POST', encoded, write)).toMatch(
      /^400 .*relative paths not supported/,
    )
  })

  it('has changed neither users nor fences nor what is stored', async () => {
    expect(await world()).toEqual(before)
  })
})
