import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuditEvent } from '#api/audit-event'
import { isAuthentic } from '#core/audit/record'
import { fixedClock, systemClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { startPalisadeDatabase, type PalisadeDatabase } from '../test/support/postgres.ts'
import { startRedis, type TestRedis } from '../test/support/redis.ts'
import { assembleGateway } from './assemble.ts'
import { issueAccessToken } from './identity/access-token.ts'
import { hashPassword } from './identity/password-hash.ts'
import { loadSigningKeys, makeSigningKey } from './identity/signing-keys.ts'
import { KeyFileWrapper } from './keys/key-file-wrapper.ts'
import type { PlatformKeys } from './keys/platform-keys.ts'
import { connectRedis } from './limits/redis-connection.ts'
import { RedisLimiter } from './limits/redis-limiter.ts'
import { GatewayMetrics } from './observe/metrics.ts'
import { refuseUnfitRole } from './startup-checks.ts'
import { PostgresStore } from './store/postgres-store.ts'

const names = { issuer: 'https://api.test', audience: 'palisade' }
const macSecret = randomBytes(32)
const macKey = (id: string) => [{ id, key: Sealed.of<Uint8Array>(macSecret) }]
const lines: string[] = []

let db: PalisadeDatabase
let redis: TestRedis
let store: PostgresStore
let app: FastifyInstance
let keys: PlatformKeys
let refusals: { close(): Promise<void> }
let limiter: RedisLimiter
const password = randomUUID()
const wrapper = new KeyFileWrapper(Sealed.of(randomBytes(32)))
const people = { alice: person('alice'), bob: person('bob'), gustav: person('gustav', 'guest') }

function person(name: string, role: 'user' | 'guest' = 'user') {
  return { id: randomUUID(), tenantId: randomUUID(), email: `${name}@test.invalid`, role }
}
type Person = ReturnType<typeof person>

beforeAll(async () => {
  ;[db, redis] = await Promise.all([startPalisadeDatabase(), startRedis()])
  store = new PostgresStore(db.app)
  keys = {
    signing: loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date()),
    auditMac: macKey('audit-1'),
    headMac: macKey('head-1'),
  }
  const address = {
    host: redis.host,
    port: redis.port,
    username: '',
    password: Sealed.of(''),
    ca: undefined,
  }
  limiter = new RedisLimiter(
    connectRedis(address, () => undefined),
    { replicas: () => 1 },
  )
  const passwordHash = await hashPassword(password)
  const gateway = assembleGateway({
    profile: 'dev',
    clock: systemClock,
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    store,
    wrapper,
    limiter,
    metrics: new GatewayMetrics(),
    keys,
    names,
    writer: 'test-0',
    settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 262_144 },
    developmentUsers: Object.values(people).map((one) => ({ ...one, passwordHash })),
  })
  app = gateway.app
  refusals = gateway.refusals
  await app.ready()
  while (!limiter.ready().ok) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const one of Object.values(people)) {
    await store.ensureUser({ userId: one.id, tenantId: one.tenantId })
  }
})
afterAll(async () => {
  await app?.close()
  await limiter?.close()
  await store?.close()
  await Promise.all([db?.stop(), redis?.stop()])
})

const tokenOf = (who: Person, clock = systemClock, ring = keys.signing) =>
  issueAccessToken(
    { userId: who.id, tenantId: who.tenantId, role: who.role, tokenVersion: 0 },
    ring,
    names,
    clock,
  )

async function ask(
  who: Person,
  method: string,
  url: string,
  payload?: object,
  headers: object = {},
) {
  const authorization = `Bearer ${await tokenOf(who)}`
  return app.inject({
    method: method as 'GET',
    url,
    headers: { authorization, ...headers },
    ...(payload ? { payload } : {}),
  })
}
const put = (who: Person, name: string, payload: object, headers?: object) =>
  ask(who, 'PUT', `/api/secrets/${name}`, payload, headers)
const get = (who: Person, name: string) => ask(who, 'GET', `/api/secrets/${name}`)

async function records(who: Person | null): Promise<AuditEvent[]> {
  const tenant = who?.tenantId ?? '00000000-0000-0000-0000-000000000001'
  const rows = await db.query<{ record: Buffer }>(
    'select record from palisade.secret_audit_logs where tenant_id = $1 order by inserted_at',
    [tenant],
  )
  return rows.map(({ record }) => JSON.parse(record.toString()) as AuditEvent)
}

describe('GET /api/secrets/:name', () => {
  it('answers 401 without a token, with a forged one and with an expired one', async () => {
    const url = '/api/secrets/any'
    const forged = await tokenOf(
      people.alice,
      systemClock,
      loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date()),
    )
    const expired = await tokenOf(people.alice, fixedClock('2026-01-01T00:00:00Z'))
    expect((await app.inject(url)).json()).toMatchObject({
      status: 401,
      code: 'ERR_UNAUTHENTICATED',
    })
    for (const token of [forged, expired]) {
      const answer = await app.inject({ url, headers: { authorization: `Bearer ${token}` } })
      expect(answer.json()).toMatchObject({ status: 401, code: 'ERR_TOKEN_INVALID' })
    }
  })

  it('gives back what was stored, current and by version', async () => {
    expect((await put(people.alice, 'two', { value: 'first' })).json()).toMatchObject({
      version: 1,
    })
    expect((await put(people.alice, 'two', { value: 'second' })).json()).toMatchObject({
      version: 2,
    })
    expect((await get(people.alice, 'two')).json()).toMatchObject({ version: 2, value: 'second' })
    expect((await get(people.alice, 'two?version=1')).json()).toMatchObject({
      version: 1,
      value: 'first',
    })
    expect((await get(people.alice, 'two?version=3')).statusCode).toBe(404)
  })

  it('notices a version that another replica stored meanwhile', async () => {
    await put(people.alice, 'moving', { value: 'one' })
    await get(people.alice, 'moving')
    const other = assembleOther()
    await other.inject({
      method: 'PUT',
      url: '/api/secrets/moving',
      headers: { authorization: `Bearer ${await tokenOf(people.alice)}` },
      payload: { value: 'two' },
    })
    expect((await get(people.alice, 'moving')).json()).toMatchObject({ version: 2, value: 'two' })
  })

  it("answers another tenant's secret exactly like one that does not exist", async () => {
    await put(people.alice, 'only-hers', { value: 'v' })
    const hers = await get(people.bob, 'only-hers')
    const none = await get(people.bob, 'not-there')
    const shape = (text: string) =>
      text.replace(/only-hers|not-there/, 'NAME').replace(/"instance":"[^"]+"/, '')
    expect(hers.statusCode).toBe(404)
    expect(shape(hers.body)).toBe(shape(none.body))
    expect((await records(people.bob)).at(-1)).toMatchObject({
      eventType: 'secret.read',
      outcome: 'refused',
      code: 'ERR_NOT_FOUND',
    })
  })

  it('refuses a row put back to an older state and hands out nothing', async () => {
    await put(people.alice, 'rolled', { value: 'old-value' })
    const [before] = await db.query<{ head_mac: Buffer }>(
      "select head_mac from palisade.enterprise_secrets where name = 'rolled'",
    )
    await put(people.alice, 'rolled', { value: 'new-value' })
    await db.query(
      "update palisade.enterprise_secrets set current_version = 1 where name = 'rolled'",
    )
    const answer = await get(people.alice, 'rolled')
    expect(answer.json()).toMatchObject({ status: 503, code: 'ERR_SECRET_ROLLED_BACK' })
    // With the MAC of that day the row is consistent again: only the sealed log can tell, and it does elsewhere.
    expect(before?.head_mac).toHaveLength(32)
  })

  it('refuses ciphertext that was swapped between two versions', async () => {
    await put(people.alice, 'swap', { value: 'first' })
    await put(people.alice, 'swap', { value: 'second' })
    await db.query(
      `update palisade.secret_versions a set ciphertext = b.ciphertext, nonce = b.nonce, wrapped_key = b.wrapped_key
       from palisade.secret_versions b, palisade.enterprise_secrets s
       where s.name = 'swap' and a.secret_id = s.id and b.secret_id = s.id and a.version = 2 and b.version = 1`,
    )
    const answer = await get(people.alice, 'swap')
    expect(answer.json()).toMatchObject({ status: 503, code: 'ERR_SECRET_UNREADABLE' })
    expect(answer.body).not.toMatch(/first|second/)
  })

  it('refuses a token whose version has moved on', async () => {
    await db.query('update palisade.users set token_version = 1 where id = $1', [people.bob.id])
    expect((await get(people.bob, 'any')).statusCode).toBe(401)
    await db.query('update palisade.users set token_version = 0 where id = $1', [people.bob.id])
    expect((await get(people.bob, 'any')).statusCode).toBe(404)
  })
})

describe('PUT /api/secrets/:name', () => {
  it('answers 400 to a value that UTF-8 cannot hold, and stores nothing', async () => {
    const refused = await put(people.alice, 'half', { value: 'a\ud800b' })
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([
      400,
      'ERR_VALIDATION',
    ])
    expect((await get(people.alice, 'half')).statusCode).toBe(404)
  })
  it('writes with cas only on the version that it names', async () => {
    expect((await put(people.alice, 'cas', { value: 'a', cas: 0 })).statusCode).toBe(201)
    const again = await put(people.alice, 'cas', { value: 'b', cas: 0 })
    expect(again.json()).toMatchObject({ status: 409, code: 'ERR_CONFLICT' })
    expect((await put(people.alice, 'cas', { value: 'b', cas: 1 })).json()).toMatchObject({
      version: 2,
    })
    expect((await put(people.alice, 'none-yet', { value: 'b', cas: 1 })).statusCode).toBe(409)
  })

  it('gives of 12 writers without cas each a version of its own', async () => {
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, i) => put(people.alice, 'race', { value: `v${i}` })),
    )
    const written = all.filter((answer) => answer.statusCode === 201)
    const versions = written.map((answer) => answer.json<{ version: number }>().version)
    expect(new Set(versions).size).toBe(written.length)
    expect(written.length).toBeGreaterThanOrEqual(4)
    for (const answer of all) expect([201, 409]).toContain(answer.statusCode)
  })

  it('answers a repeated key with the first answer, and another body with 422', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const first = await put(people.alice, 'once', { value: 'a', cas: 0 }, key)
    const repeated = await put(people.alice, 'once', { value: 'a', cas: 0 }, key)
    expect(repeated.json()).toEqual(first.json())
    const other = await put(people.alice, 'once', { value: 'b', cas: 0 }, key)
    expect(other.json()).toMatchObject({ status: 422, code: 'ERR_IDEMPOTENCY_MISMATCH' })
    expect((await get(people.alice, 'once')).json()).toMatchObject({ version: 1 })
  })

  it.each([
    ['tenant_id', { value: 'x', tenant_id: people.bob.tenantId }],
    ['id', { value: 'x', id: randomUUID() }],
    ['no value', {}],
    ['an empty value', { value: '' }],
    ['a value of more than 64 KiB', { value: 'x'.repeat(65_537) }],
    ['cas as text', { value: 'x', cas: '1' }],
  ])('answers 400 to %s and stores nothing', async (_, body) => {
    expect((await put(people.alice, 'never', body)).statusCode).toBe(400)
    expect((await get(people.alice, 'never')).statusCode).toBe(404)
  })

  it.each(['..%2f..%2fetc', '%00', 'a%2fb', 'a;x', '%E2%80%A8', '-a', 'a'.repeat(129)])(
    'answers 400 or 404 to the name %s',
    async (name) => {
      expect([400, 404]).toContain((await put(people.alice, name, { value: 'x' })).statusCode)
    },
  )

  it('leaves nothing when the record cannot be written', async () => {
    await db.query('alter table palisade.audit_pending rename to audit_pending_away')
    const answer = await put(people.alice, 'unrecorded', { value: 'x' })
    await db.query('alter table palisade.audit_pending_away rename to audit_pending')
    expect(answer.statusCode).toBeGreaterThanOrEqual(500)
    const rows = await db.query("select from palisade.enterprise_secrets where name = 'unrecorded'")
    expect(rows).toHaveLength(0)
  })
})

describe('DELETE and restore', () => {
  it('hide the secret and give it back with its value', async () => {
    await put(people.alice, 'gone', { value: 'back again' })
    expect((await ask(people.alice, 'DELETE', '/api/secrets/gone')).statusCode).toBe(204)
    expect((await get(people.alice, 'gone')).statusCode).toBe(404)
    expect((await ask(people.alice, 'DELETE', '/api/secrets/gone')).statusCode).toBe(404)
    expect((await ask(people.alice, 'POST', '/api/secrets/gone/restore')).statusCode).toBe(204)
    expect((await get(people.alice, 'gone')).json()).toMatchObject({ value: 'back again' })
  })
})

describe('GET /api/secrets', () => {
  it("pages through one's own secrets in order of name and shows no value", async () => {
    for (const name of ['l1', 'l2', 'l3']) await put(people.bob, name, { value: 'canary-in-list' })
    const first = (await ask(people.bob, 'GET', '/api/secrets?limit=2')).json<{ next: string }>()
    expect(first).toMatchObject({ items: [{ name: 'l1' }, { name: 'l2' }], next: 'l2' })
    const second = await ask(people.bob, 'GET', `/api/secrets?limit=2&after=${first.next}`)
    expect(second.json()).toMatchObject({ items: [{ name: 'l3' }] })
    expect(second.body).not.toContain('canary-in-list')
  })
})

describe('the audit log', () => {
  it('holds one authentic record of each accepted request, in the format of version 1', async () => {
    const before = (await records(people.alice)).length
    await put(people.alice, 'recorded', { value: 'x' })
    await get(people.alice, 'recorded')
    await ask(people.alice, 'GET', '/api/secrets')
    const after = await records(people.alice)
    expect(after.slice(before).map(({ eventType, outcome }) => [eventType, outcome])).toEqual([
      ['secret.write', 'success'],
      ['secret.read', 'success'],
      ['secret.list', 'success'],
    ])
    for (const event of after)
      expect(Value.Check(AuditEvent, event), JSON.stringify(event)).toBe(true)
    const rows = await db.query<{ record: Buffer; mac: Buffer; leaf: Buffer }>(
      `select l.record, l.mac, p.leaf from palisade.secret_audit_logs l
       join palisade.audit_pending p on p.record_id = l.id`,
    )
    for (const { record, mac, leaf } of rows) {
      expect(isAuthentic(record, mac, macSecret)).toBe(true)
      expect(
        createHash('sha256')
          .update(Buffer.concat([Buffer.from([0]), record]))
          .digest(),
      ).toEqual(leaf)
    }
  })

  it('names address and agent only as ciphertext', async () => {
    await ask(people.alice, 'GET', '/api/secrets', undefined, { 'user-agent': 'Canary-Agent/7' })
    const text = JSON.stringify(await records(people.alice))
    expect(text).not.toMatch(/Canary-Agent|127\.0\.0\.1|test\.invalid/)
    expect(text).toContain('"fields":["address","userAgent"]')
  })

  it('prints the leaf of each committed record to the log of the process', async () => {
    const rows = await db.query<{ record_id: string; leaf: Buffer }>(
      'select record_id, leaf from palisade.audit_pending',
    )
    const printed = lines.join('')
    for (const { record_id, leaf } of rows) {
      if (printed.includes(record_id)) expect(printed).toContain(leaf.toString('hex'))
    }
    expect(rows.filter(({ record_id }) => printed.includes(record_id)).length).toBeGreaterThan(10)
  })

  it('has a row for what a known caller was refused', async () => {
    expect((await put(people.gustav, 'no', { value: 'x' })).statusCode).toBe(403)
    expect((await records(people.gustav)).at(-1)).toMatchObject({
      eventType: 'access.refused',
      outcome: 'refused',
      code: 'ERR_FORBIDDEN',
      subject: { kind: 'route', id: '/api/secrets/:name' },
    })
  })

  it('has at most 30 rows of one caller a minute, however often it is refused', async () => {
    const before = performance.now()
    for (let i = 0; i < 60; i++) await put(people.gustav, 'no', { value: 'x' })
    // One more every two seconds, and the one of the case before.
    const more = Math.ceil((performance.now() - before) / 2_000) + 1
    const rows = (await records(people.gustav)).filter(
      ({ eventType }) => eventType === 'access.refused',
    )
    expect(rows.length).toBeLessThanOrEqual(30 + more)
  })

  it('has one record for a flood of requests without a token', async () => {
    await refusals.close()
    const before = (await records(null)).length
    for (let i = 0; i < 300; i++) await app.inject('/api/secrets')
    await refusals.close()
    const after = (await records(null)).slice(before)
    // Two when a minute ended meanwhile.
    expect(after.length).toBeLessThanOrEqual(2)
    expect(after.reduce((sum, { details }) => sum + Number(details?.['total']), 0)).toBe(300)
    expect(after.at(-1)).toMatchObject({
      eventType: 'refusals.counted',
      details: { mostReason: 'ERR_UNAUTHENTICATED', mostRoute: '/api/secrets' },
    })
  })
})

describe('POST /api/v1/auth/login', () => {
  const login = (email: string, secret: string, remoteAddress = '192.0.2.50') =>
    app.inject({
      method: 'POST',
      url: '/api/v1/auth/login',
      payload: { email, password: secret },
      remoteAddress,
    })

  it('gives a token that is accepted, and records the login first', async () => {
    const answer = await login('Alice@TEST.invalid', password)
    expect(answer.json()).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      user: { role: 'user' },
    })
    const { accessToken } = answer.json<{ accessToken: string }>()
    const listed = await app.inject({
      url: '/api/secrets',
      headers: { authorization: `Bearer ${accessToken}` },
    })
    expect(listed.statusCode).toBe(200)
    const logins = (await records(people.alice)).filter(
      ({ eventType }) => eventType === 'auth.login',
    )
    expect(logins).toHaveLength(1)
  })

  it('answers a wrong password and an unknown user alike', async () => {
    const wrong = await login('alice@test.invalid', 'wrong', '192.0.2.51')
    const unknown = await login('nobody@test.invalid', 'wrong', '192.0.2.51')
    const shape = (text: string) => text.replace(/"instance":"[^"]+"/, '')
    expect(wrong.statusCode).toBe(401)
    expect(shape(wrong.body)).toBe(shape(unknown.body))
  })

  it('answers 400 to a password of 200,000 characters before any hash is computed', async () => {
    const answer = await login('alice@test.invalid', 'x'.repeat(200_000), '192.0.2.52')
    expect(answer.statusCode).toBe(400)
  })

  it('answers 429 with Retry-After to the sixth attempt of a minute, on every replica together', async () => {
    const other = assembleOther()
    // All at once, however long each takes: one more is admitted every twelve seconds.
    const attempts = Array.from({ length: 8 }, (_, i) =>
      (i % 2 ? app : other).inject({
        method: 'POST',
        url: '/api/v1/auth/login',
        payload: { email: 'alice@test.invalid', password: 'wrong' },
        remoteAddress: '192.0.2.60',
      }),
    )
    const answers = await Promise.all(attempts)
    const codes = answers.map(({ statusCode }) => statusCode).sort()
    expect(codes).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    for (const { statusCode, headers } of answers)
      if (statusCode === 429) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    // Whoever guesses locks out himself, and not the one whose password he guesses.
    expect((await login('alice@test.invalid', password, '192.0.2.61')).statusCode).toBe(200)
  })
})

describe('the server', () => {
  it.each([
    ['a superuser', () => db.superuser],
    ['the migrator', () => db.as('palisade_migrator')],
  ])('refuses to serve as %s', async (_, config) => {
    const unfit = new PostgresStore({ ...config() })
    await expect(refuseUnfitRole(unfit)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await unfit.close()
  })

  it('serves as palisade_app_a', async () => {
    await expect(refuseUnfitRole(store)).resolves.toBeUndefined()
  })
})

describe('a canary', () => {
  it('that was stored is in no log of the gateway and of the database, and in no table', async () => {
    const canary = `canary-${randomBytes(24).toString('hex')}`
    await put(people.alice, 'canary', { value: canary }, { 'idempotency-key': randomUUID() })
    expect((await get(people.alice, 'canary')).json()).toMatchObject({ value: canary })
    await put(people.alice, 'canary', { value: canary, cas: 'wrong type' })
    await login401(canary)
    const forms = [
      canary,
      Buffer.from(canary).toString('base64').slice(0, -4),
      Buffer.from(canary).toString('hex'),
    ]
    const dump = await db.query<{ text: string }>(
      `select to_jsonb(v)::text as text from palisade.secret_versions v
       union all select to_jsonb(i)::text from palisade.idempotency_keys i
       union all select convert_from(record, 'UTF8') from palisade.secret_audit_logs`,
    )
    const sinks = [lines.join(''), db.log(), dump.map(({ text }) => text).join('\n')]
    for (const sink of sinks) for (const form of forms) expect(sink.includes(form)).toBe(false)
    expect(lines.join('')).not.toContain(password)
  })

  const login401 = (secret: string) =>
    app.inject({
      method: 'POST',
      url: '/api/v1/auth/login',
      payload: { email: 'alice@test.invalid', password: secret },
      remoteAddress: '192.0.2.70',
    })
})

/** A second replica: it shares database, Redis and keys, and no memory. */
function assembleOther(): FastifyInstance {
  const gateway = assembleGateway({
    profile: 'dev',
    clock: systemClock,
    log: pino({ level: 'silent' }),
    store,
    wrapper,
    limiter,
    metrics: new GatewayMetrics(),
    keys,
    names,
    writer: 'test-1',
    settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 262_144 },
    developmentUsers: Object.values(people).map((one) => ({
      ...one,
      passwordHash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    })),
  })
  return gateway.app
}
