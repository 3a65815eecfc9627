import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditEvent } from '#api/audit-event'
import { systemClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { MemoryStore } from '../test/support/memory-store.ts'
import { assembleGateway, type Gateway, type GatewayParts } from './assemble.ts'
import { issueAccessToken } from './identity/access-token.ts'
import { hashPassword } from './identity/password-hash.ts'
import type { Role } from './identity/roles.ts'
import { loadSigningKeys, makeSigningKey } from './identity/signing-keys.ts'
import { KeyFileWrapper } from './keys/key-file-wrapper.ts'
import { LocalLimiter } from './limits/local-limiter.ts'
import { makeLog } from './observe/log.ts'
import { GatewayMetrics } from './observe/metrics.ts'

/** Every way a secret enters the gateway, each with a value of its own that must be in no record, line or metric. */

const NAMES = { issuer: 'https://api.test', audience: 'palisade' }
const signing = loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date())
const macKey = (id: string) => [{ id, key: Sealed.of<Uint8Array>(randomBytes(32)) }]
const canary = () => randomBytes(18).toString('hex')
const alice = { id: randomUUID(), tenantId: randomUUID(), email: `${canary()}@example.org` }
const password = canary()
const passwordHash = await hashPassword(password)

let store: MemoryStore
let metrics: GatewayMetrics
let gateway: Gateway
let lines: string[]
beforeEach(() => {
  store = new MemoryStore()
  metrics = new GatewayMetrics()
  lines = []
  const destination = { write: (line: string) => void lines.push(line) }
  gateway = assembleGateway({
    ...{ profile: 'dev', clock: systemClock, metrics, names: NAMES, writer: 'test' },
    store: store as unknown as GatewayParts['store'],
    log: makeLog({ level: 'trace', service: 'test', destination }),
    wrapper: new KeyFileWrapper(Sealed.of(randomBytes(32))),
    limiter: new LocalLimiter(),
    keys: { signing, auditMac: macKey('audit'), headMac: macKey('head') },
    settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 4096 },
    developmentUsers: [{ ...alice, role: 'user', passwordHash }],
  })
})
afterEach(() => gateway.app.close())

const tokenOf = (role: Role = 'user') =>
  issueAccessToken(
    { userId: alice.id, tenantId: alice.tenantId, role, tokenVersion: 0 },
    ...([signing, NAMES, systemClock] as const),
  )

interface Ask {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, given: Ask = {}) {
  const { token = await tokenOf(), headers = {}, body } = given
  const sent = { 'content-type': 'application/json' }
  return gateway.app.inject({
    ...{ method, url, remoteAddress: '192.0.2.77' },
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : sent), ...headers },
    ...(body === undefined ? {} : { payload: body }),
  })
}

const put = (body: string, headers: Ask['headers'] = {}) =>
  ask('PUT', '/api/secrets/orders-db', { body, headers })

type Leaf = readonly [path: string, value: unknown]
const leaves = (value: unknown, path = ''): Leaf[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, member]) =>
        leaves(member, Array.isArray(value) ? `${path}[]` : `${path}.${name}`),
      )
    : [[path, value]]
const records = () =>
  store.rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as AuditEvent)

/** Fields of records, log lines and metrics in which one of the values is found. */
async function placesOf(...values: readonly string[]): Promise<string[]> {
  // What is counted has its record as well.
  await gateway.refusals.close()
  const isTold = (text: unknown) => values.some((value) => String(text).includes(value))
  const fields = records().flatMap((record) => leaves(record))
  const found = fields.filter(([, value]) => isTold(value)).map(([path]) => path)
  if (lines.some(isTold)) found.push('log')
  if (isTold(await metrics.registry.metrics())) found.push('metrics')
  return found
}

describe('records and log lines', () => {
  it('hold nothing of the token that a caller shows', async () => {
    const token = await tokenOf()
    await ask('GET', '/api/secrets/none', { token })
    await ask('GET', '/api/secrets/none', { token: `${token}x` })
    expect(store.rows).not.toEqual([])
    expect(await placesOf(token, token.split('.')[2] ?? '')).toEqual([])
  })

  it('hold nothing of a value that is stored and read', async () => {
    const value = canary()
    expect((await put(JSON.stringify({ value }))).statusCode).toBe(201)
    expect((await ask('GET', '/api/secrets/orders-db')).json()).toMatchObject({ value })
    expect(records().map(({ eventType }) => eventType)).toEqual(['secret.write', 'secret.read'])
    expect(await placesOf(value)).toEqual([])
  })

  it('hold nothing of a body that cannot be read', async () => {
    const value = canary()
    for (const body of [
      `{"value":"${value}"`,
      `{"value":"${value}","value":"${value}"}`,
      `{"value":["${value}"]}`,
      `{"value":"a","${value}":1}`,
      `"${value}"`,
      value,
    ]) {
      const answer = await put(body)
      expect(answer.statusCode, body).toBe(400)
      expect(answer.body.replace(`("${value}")`, ''), body).not.toContain(value)
    }
    expect(await placesOf(value)).toEqual([])
  })

  it('hold nothing of a password, right or wrong, nor of the address of the person', async () => {
    const wrong = canary()
    for (const [given, status] of [
      [password, 200],
      [wrong, 401],
    ] as const) {
      const body = JSON.stringify({ email: alice.email, password: given })
      const answer = await ask('POST', '/api/v1/auth/login', { body })
      expect(answer.statusCode).toBe(status)
    }
    expect(records().map(({ eventType }) => eventType)).toContain('auth.login')
    expect(await placesOf(password, wrong, alice.email, passwordHash)).toEqual([])
  })

  it.each([
    ['authorization', 'Basic '],
    ['cookie', '__Host-session='],
    ['x-api-key', ''],
    ['x-vault-token', ''],
    ['proxy-authorization', 'Bearer '],
    ['idempotency-key', ''],
    ['user-agent', 'curl/'],
    ['referer', 'https://a.test/?token='],
    ['x-request-id', ''],
    ['traceparent', ''],
  ])('hold nothing of the header %s', async (name, before) => {
    const value = canary()
    const headers = { [name]: `${before}${value}` }
    await ask('GET', '/api/secrets/none', { headers })
    await put('{"value":"v"}', headers)
    await ask('PUT', '/api/secrets/x', { token: await tokenOf('guest'), headers, body: '{}' })
    expect(await placesOf(value)).toEqual([])
  })

  it('hold nothing of a query or of a path that leads nowhere', async () => {
    const value = canary()
    await ask('GET', `/api/secrets?access_token=${value}`)
    await ask('GET', `/${value}`)
    await ask('GET', `/api/secrets/none?version=${value}`)
    expect(await placesOf(value)).toEqual([])
  })

  it('hold nothing of what an error quotes', async () => {
    const value = canary()
    for (const quote of [
      `postgres://app_a:${value}@db:5432/shop`,
      `API key sk_live_${value} already exists`,
      `statement: ALTER ROLE app_a PASSWORD '${value}'`,
    ]) {
      store.failure = new Error(quote, { cause: new Error(quote) })
      const answer = await ask('GET', '/api/secrets/none')
      expect(answer.statusCode).toBe(500)
      expect(answer.body).not.toContain(value)
    }
    expect(records().map(({ eventType }) => eventType)).toContain('request.failed')
    expect(await placesOf(value)).toEqual([])
  })

  it('hold the address of the client and its agent as ciphertext alone', async () => {
    const agent = canary()
    await ask('GET', '/api/secrets/none', { headers: { 'user-agent': agent } })
    expect(records().at(-1)?.personal?.[0]?.fields).toEqual(['address', 'userAgent'])
    expect(await placesOf(agent, '192.0.2.77')).toEqual([])
  })
})

/** Fields that a gateway without an internal listener never fills. */
const OF_OTHERS = ['.request.status']

describe('the search of these tests', () => {
  it('has seen every field that a record can have', async () => {
    await put('{"value":"v"}')
    await ask('GET', '/api/secrets/orders-db')
    await ask('GET', '/api/secrets/none')
    const fields = records().flatMap((record) => leaves(record).map(([path]) => path))
    const seen = new Set(fields.map((path) => path.replace(/^\.details\..*/, '.details')))
    expect(fieldsOf(AuditEvent as unknown as Schema).filter((path) => !seen.has(path))).toEqual(
      OF_OTHERS,
    )
  })
})

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

const fieldsOf = ({ properties, items }: Schema, path = ''): string[] => {
  if (items) return fieldsOf(items, `${path}[]`)
  if (!properties) return [path]
  return Object.entries(properties).flatMap(([name, one]) => fieldsOf(one, `${path}.${name}`))
}
