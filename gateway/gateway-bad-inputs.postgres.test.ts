import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS, type Operation } from '#api/rest/operations'
import { systemClock } from '#core/clock'
import {
  keyDirectory,
  person,
  startGateway,
  TEST_NAMES,
  type TestGateway,
} from '../test/support/gateway.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../test/support/postgres.ts'
import { rawRequest } from '../test/support/raw-request.ts'
import { issueAccessToken } from './identity/access-token.ts'

let db: PalisadeDatabase
let keys: Awaited<ReturnType<typeof keyDirectory>>
let gateway: TestGateway
let token: string
const alice = person()

beforeAll(async () => {
  ;[db, keys] = await Promise.all([startPalisadeDatabase(), keyDirectory()])
  gateway = await startGateway(db, { directory: keys.path })
  await gateway.store.ensureUser({ userId: alice.id, tenantId: alice.tenantId })
  token = await issueAccessToken(
    { userId: alice.id, tenantId: alice.tenantId, role: 'user', tokenVersion: 0 },
    gateway.keys.signing,
    TEST_NAMES,
    systemClock,
  )
  await gateway.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([db?.stop(), keys?.remove()])
})

const put = (body: string | Buffer, headers: Record<string, string> = {}, name = 'any') =>
  gateway.app.inject({
    method: 'PUT',
    url: `/api/secrets/${name}`,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    payload: body,
  })
const exists = async (name: string) =>
  (await db.query('select from palisade.enterprise_secrets where name = $1', [name])).length > 0

/** Bytes as they are, for what no HTTP client would send. */
const raw = (text: string) => rawRequest(gateway.app.server, text)

describe('PUT /api/secrets/:name', () => {
  it.each([
    ['the last version that has a next one', 2_147_483_646, 409],
    ['the last version of the column', 2_147_483_647, 400],
    ['a version beyond the column', 2_147_483_648, 400],
    ['2 to the 32nd', 4_294_967_296, 400],
    ['the largest exact integer', Number.MAX_SAFE_INTEGER, 400],
    ['a negative version', -1, 400],
    ['half a version', 1.5, 400],
    ['a version as text', '1', 400],
    ['no version', null, 400],
  ])('answers to cas as %s without an error of its own', async (_, cas, status) => {
    const answer = await put(JSON.stringify({ value: 'v', cas }), {}, 'boundary')
    expect([answer.statusCode, await exists('boundary')]).toEqual([status, false])
  })

  it('answers 400 to cas beyond every number', async () => {
    expect((await put('{"value":"v","cas":1e400}')).statusCode).toBe(400)
    expect((await put(`{"value":"v","cas":${'9'.repeat(400)}}`)).statusCode).toBe(400)
  })

  it('takes minus zero for zero', async () => {
    expect((await put('{"value":"v","cas":-0}', {}, 'zero')).statusCode).toBe(201)
  })

  it.each([
    ['a member that stands twice', '{"value":"a","value":"b"}'],
    ['a member that stands twice in two spellings', '{"value":"a","\\u0076alue":"b"}'],
    ['100,000 open brackets', '['.repeat(100_000)],
    ['100,000 closed brackets', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['100,000 nested objects', '{"a":'.repeat(25_000) + '1' + '}'.repeat(25_000)],
    ['__proto__', '{"value":"a","__proto__":{"cas":1}}'],
    ['constructor.prototype', '{"value":"a","constructor":{"prototype":{}}}'],
    ['a role', '{"value":"a","role":"admin"}'],
    ['a tenant', `{"value":"a","tenant_id":"${randomUUID()}"}`],
  ])('answers 400 to %s and stores nothing', async (_, body) => {
    expect((await put(body, {}, 'refused')).statusCode).toBe(400)
    expect(await exists('refused')).toBe(false)
    expect(({} as Record<string, unknown>)['cas']).toBeUndefined()
  })

  it('answers 400 to bytes that are no UTF-8, since another value would be stored', async () => {
    const body = Buffer.concat([
      Buffer.from('{"value":"'),
      Buffer.of(0xff, 0xc0),
      Buffer.from('"}'),
    ])
    expect((await put(body, {}, 'bytes')).statusCode).toBe(400)
    expect(await exists('bytes')).toBe(false)
  })

  it('answers 413 to 10 MB, announced before a byte of it is read', async () => {
    expect((await put(`{"value":"${'x'.repeat(10_000_000)}"}`)).statusCode).toBe(413)
  })

  it.each(['gzip', 'br', 'deflate, gzip', 'GZIP'])(
    'answers 415 to a body encoded with %s, and inflates nothing',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(20_000_000, 32))
      const answer = await put(bomb, { 'content-encoding': encoding })
      expect(answer.statusCode).toBe(415)
    },
  )

  it('gives back what JSON and UTF-8 can hold, NUL and U+2028 included', async () => {
    const value = 'a\u0000b\u2028c\r\n\u001b[31m\u{1F600}'
    expect((await put(JSON.stringify({ value }), {}, 'odd')).statusCode).toBe(201)
    const answer = await gateway.ask(alice, 'GET', '/api/secrets/odd')
    expect(answer.json()).toMatchObject({ value })
  })
})

describe('a request', () => {
  const headers = (extra = '') =>
    `Host: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${extra}`

  it('with a cookie and without a token is answered 401: a cookie is no proof of anything here', async () => {
    const answer = await gateway.app.inject({
      method: 'DELETE',
      url: '/api/secrets/any',
      headers: {
        cookie: `__Host-refreshToken=${token}; accessToken=${token}`,
        origin: 'https://e.test',
      },
    })
    expect(answer.statusCode).toBe(401)
  })

  it.each(['x-http-method-override', 'x-method-override', 'x-http-method'])(
    'keeps its method, whatever %s says',
    async (name) => {
      await put('{"value":"v"}', {}, 'kept')
      const answer = await gateway.ask(alice, 'GET', '/api/secrets/kept?_method=DELETE', {
        headers: { [name]: 'DELETE' },
      })
      expect(answer.statusCode).toBe(400)
      const again = await gateway.ask(alice, 'GET', '/api/secrets/kept', {
        headers: { [name]: 'DELETE' },
      })
      expect(again.statusCode).toBe(200)
    },
  )

  it.each([
    ['two Host fields', 'GET /api/secrets HTTP/1.1\r\nHost: b\r\n', 400],
    ['no Host field', undefined, 400],
  ])('with %s is answered 400', async (_, start, status) => {
    const text = start
      ? `${start}${headers()}\r\n`
      : `GET /api/secrets HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`
    const answer = await raw(text)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('x-frame-options: DENY')
  })

  it('with a forged Host is answered like any other, and the Host is nowhere in the answer', async () => {
    const answer = await raw(
      `GET /api/secrets/none HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\nX-Forwarded-Host: evil.test\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).not.toContain('evil.test')
  })

  it.each([
    '/api/secrets/..%2f..%2fetc%2fpasswd',
    '/api/secrets/%2e%2e%2fx',
    '/api/secrets/../secrets/any',
    '/api//secrets',
    '//api/secrets',
    '/api/secrets/%00',
    '/api/secrets/a%00b',
    '/api/secrets/a;x=1',
    '/api/secrets/%E2%80%A8',
    '/api/secrets/%C0%AE',
    '/api/secrets/%zz',
    '/api/secrets/%',
    '/API/secrets',
    '/api/secrets/a\\..\\b',
    '/api/secrets/ａdmin',
  ])('for %s is answered 400 or 404, and nothing else', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\n${headers()}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
    expect(answer).toContain('"code":"ERR_')
  })

  it.each([
    ['line feeds of another line', 'agent\\u000a{"audit":"forged"}'],
    ['an escape sequence', 'agent\\u001b[2J'],
  ])('whose idempotency key holds %s is refused before it is logged', async (_, key) => {
    const before = gateway.lines.length
    const answer = await put('{"value":"v"}', { 'idempotency-key': key })
    expect(answer.statusCode).toBe(400)
    expect(gateway.lines.slice(before).join('')).not.toContain('forged')
  })

  it('whose agent holds what a terminal would obey leaves one line of plain text per record', async () => {
    const before = gateway.lines.length
    const agent = 'a\u0080\u009b31m\u00a0{"audit":"forged"}'
    const answer = await gateway.ask(alice, 'GET', '/api/secrets', {
      headers: { 'user-agent': agent },
    })
    expect(answer.statusCode).toBe(200)
    const added = gateway.lines.slice(before)
    expect(added.join('')).not.toMatch(/forged|\u009b/)
    for (const line of added) expect(JSON.parse(line)).toBeTypeOf('object')
  })

  it("for another tenant's secret is answered like one for a secret that does not exist", async () => {
    const bob = person()
    await gateway.store.ensureUser({ userId: bob.id, tenantId: bob.tenantId })
    await put('{"value":"v"}', {}, 'hers')
    const shape = ({ statusCode, body }: { statusCode: number; body: string }) =>
      `${statusCode} ${body.replace(/hers|none/g, 'NAME').replace(/"instance":"[^"]+"/, '')}`
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '?version=1'],
      ['DELETE', ''],
      ['POST', '/restore'],
    ] as const) {
      const hers = await gateway.ask(bob, method, `/api/secrets/hers${path}`)
      const none = await gateway.ask(bob, method, `/api/secrets/none${path}`)
      expect(shape(hers), `${method} ${path}`).toBe(shape(none))
    }
  })
})

/** Not allowed in a name or a key, so that whatever carries it is refused and must not come back. */
const CANARY = 'ZK!N@RY'

const HOSTILE = fc.oneof(
  fc.constantFrom<unknown>(
    ...[0, -0, -1, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53, 1e308],
    ...[1.5, 5e-324, null, true, false, [], {}, [[]], { length: 1 }, { toString: 1 }],
    ...['', '\0', 'a\0b', '\ud800', '\udfff\ud800', '__proto__', 'constructor', "' or 1=1 --"],
    ...['%s%n', '{{7*7}}', '${7*7}', '../../x', '\r\nx: y', '\u001b[2J', '\u2028', '\ufeff'],
    ...['9'.repeat(400), '-', 'NaN', 'true', '\u202eabc', 'İ', 'ß'],
  ),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => `${CANARY}${text}`),
  fc.integer({ min: 60_000, max: 70_000 }).map((size) => CANARY + 'x'.repeat(size)),
  fc.jsonValue({ maxDepth: 4 }),
)
const MEGABYTE = CANARY + 'x'.repeat(1_048_576)

/** What JSON.stringify cannot write: repeated members, depth, halves of pairs, the names of prototypes. */
const hostileBody = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(fc.string({ maxLength: 20 }), HOSTILE).map(text) },
  {
    weight: 8,
    arbitrary: fc
      .record(
        { value: HOSTILE, cas: HOSTILE, email: HOSTILE, password: HOSTILE },
        { requiredKeys: [] },
      )
      .map(text),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      `{"value":"${CANARY}","value":"${CANARY}"}`,
      `{"__proto__":{"x":"${CANARY}"},"value":"a"}`,
      `{"value":"\\ud800${CANARY}"}`,
      `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
      `{"value":"${MEGABYTE}"}`,
      `{"email":"a@b","password":"${MEGABYTE}"}`,
      `"${CANARY}"`,
      `{"value":"a"}${CANARY}`,
      '\ufeff{}',
      '',
    ),
  },
)

function text(value: unknown): string {
  return JSON.stringify(value)
}

const hostileText = HOSTILE.map((value) => (typeof value === 'string' ? value : text(value)))
/** A header is bytes of Latin-1 without control characters; the parser refuses the rest before we see it. */
const hostileHeader = hostileText.map((value) =>
  value
    .toWellFormed()
    .replace(/[^\u0020-\u007e\u00a0-\u00ff]/g, '')
    .slice(0, 8_000)
    .trim(),
)

const API = OPERATIONS.filter(({ listener }) => listener === 'api')
const namesOf = (schema: Operation['query']) =>
  Object.keys((schema as { properties?: object } | undefined)?.properties ?? {})

function hostileRequest(operation: Operation) {
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom(...namesOf(operation.query), 'x', '__proto__'), hostileText),
    hostileText,
    { maxKeys: 3 },
  )
  return fc.record({
    name: fc.oneof(fc.constant('fuzzed'), hostileText),
    query: fc.oneof(fc.constant({}), query),
    key: fc.option(hostileHeader, { nil: undefined }),
    agent: hostileHeader,
    body: hostileBody,
  })
}

describe('any request', () => {
  it.each(
    API.map(
      (operation) => [`${operation.method.toUpperCase()} ${operation.path}`, operation] as const,
    ),
  )(
    'to %s, however hostile, is answered without an error of ours and without what it carried',
    async (_, operation) => {
      let sent = 0
      await fc.assert(
        fc.asyncProperty(hostileRequest(operation), async ({ name, query, key, agent, body }) => {
          const path = operation.path.replace('{name}', encodeURIComponent(name.toWellFormed()))
          const search = Object.entries(query).map(([one, value]) =>
            [one, value].map((each) => encodeURIComponent(each.toWellFormed())).join('='),
          )
          const hasBody = operation.method === 'put' || operation.method === 'post'
          sent += 1
          const answer = await gateway.app.inject({
            method: operation.method.toUpperCase() as 'GET',
            url: search.length > 0 ? `${path}?${search.join('&')}` : path,
            // Each from a network of its own: what is looked for lies behind the limit of logins.
            remoteAddress: `2001:db8:${sent.toString(16)}::1`,
            headers: {
              authorization: `Bearer ${token}`,
              'user-agent': agent,
              ...(hasBody ? { 'content-type': 'application/json' } : {}),
              ...(key === undefined ? {} : { 'idempotency-key': key }),
            },
            ...(hasBody ? { payload: body } : {}),
          })
          expect(answer.statusCode).toBeLessThan(500)
          if (answer.statusCode < 400) return
          expect(answer.json()).toMatchObject({ code: expect.stringMatching(/^ERR_/) })
          expect(answer.body).not.toContain(CANARY)
        }),
        { numRuns: 150 },
      )
      expect(gateway.lines.join('')).not.toContain(CANARY)
    },
  )
})
