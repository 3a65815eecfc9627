import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import { generatePassword } from '#core/password'
import { scramSha256Verifier } from '#core/scram'
import { Sealed } from '#core/sealed'
import { createDatabases } from '../../operator/adapters/databases.ts'
import { makeAuthority, type Authority } from '../../test/support/certificates.ts'
import {
  once,
  serveTls,
  startPostgres,
  withClient,
  type TestPostgres,
} from '../../test/support/postgres.ts'
import { prepareExistingDatabase, type Consequence } from './existing-database.ts'
import { readMigrations } from './migrate.ts'
import { PostgresStore } from './postgres-store.ts'

/** As managed services give it: roles and databases may be made, nothing else of a superuser. */
const ADMINISTRATOR = 'provider_admin'
const OWNER = 'cluster-1/palisade-system/gateway-db/uid-1'

let folder: string
let authority: Authority
let server: TestPostgres
const secret = generatePassword()
const kept = { username: 'palisade_operator', password: Sealed.of(generatePassword()) }
const said: Consequence[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-existing-'))
  authority = await makeAuthority(folder)
  server = await startPostgres({
    accessRules: ['hostssl all all 127.0.0.1/32 scram-sha-256', 'host all all all reject'],
    // What providers write by default.
    settings: { log_statement: 'ddl', log_min_error_statement: 'error' },
  })
  await serveTls(server, await authority.issue('server'))
  await server.query(`create role ${ADMINISTRATOR} login createrole createdb password '${secret}'`)
  await server.query(`create database managed owner ${ADMINISTRATOR}`)
})
afterAll(async () => {
  await server?.stop()
  if (folder) await rm(folder, { recursive: true })
})

const login = (user: string, password: string, ca = authority.ca): pg.ClientConfig => ({
  host: 'localhost',
  port: server.port,
  database: 'managed',
  user,
  password,
  ssl: { ca, rejectUnauthorized: true },
})
const prepare = (administrator = login(ADMINISTRATOR, secret)) =>
  prepareExistingDatabase({
    administrator,
    login: async () => kept,
    say: (line) => said.push(line),
  })
const managed = (text: string) => once({ ...server.superuser, database: 'managed' }, text)

const backend = (): RotationBackend => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind: 'RotationBackend',
  metadata: { name: 'palisade-db' },
  spec: {
    kind: 'Postgres',
    endpoint: { host: 'localhost', port: server.port, database: 'managed' },
    tls: { trust: 'Credential' },
    credential: { vaultPath: 'platform/backends/palisade-db' },
    allowedNamespaces: { matchLabels: { a: 'b' } },
    names: ['palisade_app_a', 'palisade_app_b'],
    maxConcurrent: 4,
  },
})
const asOperator = (ca = authority.ca) => createDatabases(folder, async () => ({ ...kept, ca }))

describe('prepareExistingDatabase', () => {
  it('refuses a login that may not make roles, or does not own the database, and makes nothing', async () => {
    await server.query(`create role plain login password '${secret}'`)
    await server.query(`create role other login createrole password '${secret}'`)
    await server.query('grant connect on database managed to plain, other')
    await expect(prepare(login('plain', secret))).rejects.toThrow(/no CREATEROLE/)
    await expect(prepare(login('other', secret))).rejects.toThrow(/does not own the database/)
    expect(await server.query(`select from pg_roles where rolname like 'palisade%'`)).toEqual([])
  })

  it('speaks to no server that another authority signed for', async () => {
    const other = await makeAuthority(join(folder, 'other'))
    await expect(prepare(login(ADMINISTRATOR, secret, other.ca))).rejects.toThrow(/certificate/)
  })

  it('makes roles and schema with CREATEROLE alone and says what it could not have', async () => {
    expect(await prepare()).toEqual((await readMigrations()).map(({ name }) => name))
    const consequences = said.map(({ consequence }) => consequence)
    expect(consequences).toEqual([
      expect.stringContaining('no member of pg_read_all_stats'),
      expect.stringContaining('no member of pg_signal_backend'),
      expect.stringContaining("keeps the server's own setting of log_statement"),
    ])
    expect(said.every(({ remedy }) => remedy !== '')).toBe(true)
  })

  it('changes nothing when it runs again', async () => {
    const picture = () =>
      managed(
        `select rolname, rolcanlogin, rolcreaterole, rolpassword from pg_authid where rolname like 'palisade%' order by 1`,
      )
    const before = await picture()
    expect(await prepare()).toEqual([])
    expect(await picture()).toEqual(before)
    expect(before).toHaveLength(15)
  })

  it('gives no role what passes row-level security by, and forces it on every table', async () => {
    expect(
      await managed(`select rolname from pg_roles where rolname like 'palisade%'
        and (rolsuper or rolbypassrls or rolreplication or rolcreatedb)`),
    ).toEqual([])
    const open =
      await managed(`select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'palisade' and c.relkind = 'r' and c.relrowsecurity and not c.relforcerowsecurity`)
    expect(open).toEqual([])
  })

  it('puts the operator in its place by password over TLS and nobody else', async () => {
    const { password } = kept
    await withClient(login('palisade_operator', password.reveal()), async (client) => {
      await expect(client.query('select * from palisade.tenants')).rejects.toMatchObject({
        code: '42501',
      })
      await expect(client.query('create role more')).rejects.toMatchObject({ code: '42501' })
    })
    await expect(
      withClient(login('palisade_migrator', password.reveal()), async () => undefined),
    ).rejects.toMatchObject({ code: '28P01' })
    await expect(
      withClient(
        { ...login('palisade_operator', password.reveal()), ssl: false },
        async () => undefined,
      ),
    ).rejects.toMatchObject({ code: '28000' })
  })
})

describe('the operator at an existing database', () => {
  it('rotates through the fence, sees sessions with their address and ends them', async () => {
    const databases = asOperator()
    const database = databases.of(backend())
    try {
      expect(
        await database.preflight(['palisade_app_a', 'palisade_app_b'], 'palisade_app'),
      ).toEqual([])
      const password = generatePassword()
      const verifier = scramSha256Verifier(password, { salt: randomBytes(16) })
      const fence = { owner: OWNER, expected: 0, next: 1 }
      expect(await database.setVerifier('palisade_app_a', fence, verifier)).toEqual({
        kind: 'done',
      })
      expect(
        await database.setVerifier('palisade_app_a', { ...fence, owner: `${OWNER}-2` }, verifier),
      ).toEqual({ kind: 'claimedByOther' })
      expect(await database.tryLogin('palisade_app_a', Sealed.of(password), 'managed')).toBe(
        'accepted',
      )

      const holder = new pg.Client(login('palisade_app_a', password))
      const ended = new Promise((resolve) => holder.on('error', resolve))
      await holder.connect()
      const [session] = (await database.sessions('palisade_app_a')).sessions
      expect(session).toMatchObject({
        address: '127.0.0.1',
        since: expect.stringMatching(/^\d{4}-/),
      })
      expect(await database.terminate('palisade_app_a', { ...fence, expected: 1 })).toEqual({
        kind: 'done',
        silent: [],
      })
      await ended
      // The server says goodbye before it has forgotten the session.
      const left = async () => (await database.sessions('palisade_app_a')).sessions
      await expect.poll(left).toEqual([])

      const store = new PostgresStore(login('palisade_app_a', password))
      expect(await store.unfitRole()).toEqual([])
      await store.close()
    } finally {
      await databases.close()
    }
  })

  it('lets the gateway refuse to serve as the login of the connection Secret', async () => {
    const store = new PostgresStore(login(ADMINISTRATOR, secret))
    expect(await store.unfitRole()).toContain('the database role has CREATEROLE')
    await store.close()
  })

  it('trusts the authority beside its credential and no other', async () => {
    const other = await makeAuthority(join(folder, 'third'))
    const databases = asOperator(other.ca)
    await expect(databases.of(backend()).standing('palisade_app_a')).rejects.toMatchObject({
      code: 'ERR_BACKEND_UNREACHABLE',
    })
    await databases.close()
  })

  it('takes a password that was changed in the store with the pass after the refusal', async () => {
    let password = Sealed.of('old')
    const databases = createDatabases(folder, async () => ({ ...kept, password, ca: authority.ca }))
    const database = databases.of(backend())
    await expect(
      Promise.all([database.standing('palisade_app_a'), database.standing('palisade_app_b')]),
    ).rejects.toMatchObject({ code: 'ERR_BACKEND_REFUSED' })
    password = kept.password
    expect(await database.standing('palisade_app_a')).toMatchObject({ owner: OWNER })
    await databases.close()
  })

  it('leaves no verifier and no password in the log of a server that logs DDL', async () => {
    expect(server.log()).toContain('statement:')
    expect(server.log()).not.toContain('SCRAM-SHA-256$')
    expect(server.log()).not.toContain(kept.password.reveal())
  })

  it.each([
    ['log_statement', 'all'],
    ['log_min_duration_statement', '0'],
    ['log_transaction_sample_rate', '0.5'],
    ['log_parameter_max_length_on_error', '-1'],
  ])('finds the server unready while %s is %s, and says what to set', async (name, value) => {
    // By the provider, for the role: `log_parameter_max_length_on_error` is set for it already, so over that.
    await server.query(`alter role palisade_operator set ${name} = '${value}'`)
    const databases = asOperator()
    try {
      const [problem = ''] = await databases
        .of(backend())
        .preflight(['palisade_app_a', 'palisade_app_b'], 'palisade_app')
      expect(problem).toContain(name)
      await server.query(`alter role palisade_operator reset ${name}`)
    } finally {
      await databases.close()
    }
  })

  it('is not prepared while the administrator would log the verifier of the operator', async () => {
    await server.query('alter role palisade_operator password null')
    await server.query(`alter role ${ADMINISTRATOR} set log_min_duration_statement = 0`)
    await expect(prepare()).rejects.toThrow(/log_min_duration_statement/)
    await server.query(`alter role ${ADMINISTRATOR} set log_parameter_max_length = 0`)
    expect(await prepare()).toEqual([])
    expect(server.log()).not.toContain('SCRAM-SHA-256$')
  })
})
