import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock, systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { rawRequest } from '../test/support/raw-request.ts'
import { buildApp, type AppDeps } from './app.ts'
import { issueAccessToken } from './identity/access-token.ts'
import type { Role } from './identity/roles.ts'
import { loadSigningKeys, makeSigningKey } from './identity/signing-keys.ts'
import { TokenVerifier } from './identity/verify-token.ts'
import { LocalLimiter } from './limits/local-limiter.ts'
import { AUTH } from './limits/policy.ts'
import { GatewayMetrics } from './observe/metrics.ts'
import { SECURITY_HEADERS } from './plugins/security-headers.ts'
import { developmentLoginRoutes } from './routes/development-login.ts'
import { wellKnownRoutes } from './routes/well-known.ts'

const names = { issuer: 'https://api.test', audience: 'palisade' }
const keys = loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date())
const metrics = new GatewayMetrics()
const lines: string[] = []
const parsed: unknown[] = []
const refused: string[] = []

const Body = Type.Object({ count: Type.Integer() }, { additionalProperties: false })
const Query = Type.Object(
  { page: Type.Optional(Type.Integer({ minimum: 1 })) },
  { additionalProperties: false },
)

function testRoutes(app: FastifyInstance): void {
  const read = { action: 'secret.read', scope: 'secrets:read' } as const
  const write = { action: 'secret.write', scope: 'secrets:write' } as const
  app.get(
    '/things',
    { config: { access: read }, schema: { querystring: Query } },
    async (request) => ({
      query: request.query,
      user: request.caller?.userId,
    }),
  )
  app.post(
    '/things',
    { config: { access: write }, schema: { body: Body } },
    async (request) => request.body,
  )
  app.post(
    '/open',
    { config: { access: 'public' }, schema: { body: Body } },
    async (request) => request.body,
  )
  app.get('/things/:name', { config: { access: read } }, async () => ({}))
  app.get('/address', { config: { access: 'public' } }, async ({ ip }) => ({ ip }))
  app.get('/broken', { config: { access: 'public' } }, async () => {
    throw new Error('password=hunter2 at postgres://u:p@db')
  })
  app.get('/known-failure', { config: { access: 'public' } }, async () => {
    throw new PalisadeError('ERR_KEYS_UNAVAILABLE', 'Vault cannot be reached')
  })
  app.get('/guarded', { config: { access: 'public', limit: AUTH } }, async () => ({ ok: true }))
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    parsed.push(request.url)
    done()
  })
}

const make = (over: Partial<AppDeps> = {}) =>
  buildApp({
    logger: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    verifier: new TokenVerifier(keys, names, systemClock),
    limiter: new LocalLimiter(),
    metrics,
    refusals: { onProblem: ({ code }) => void refused.push(code) },
    settings: { trustedProxies: [], allowedOrigins: ['https://app.test'], bodyLimit: 1024 },
    routes: [testRoutes, wellKnownRoutes(keys)],
    ...over,
  })

const tokenOf = (role: Role = 'user', at = systemClock) =>
  issueAccessToken(
    { userId: randomUUID(), tenantId: randomUUID(), role, tokenVersion: 0 },
    keys,
    names,
    at,
  )
const bearer = async (role?: Role) => ({ authorization: `Bearer ${await tokenOf(role)}` })

let app: FastifyInstance
beforeAll(async () => {
  app = make()
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => app.close())

/** Bytes as they are, for what no HTTP client would send. */
const raw = (text: string) => rawRequest(app.server, text)

describe('buildApp', () => {
  it('does not build with a route that declares no access', () => {
    const open = (one: FastifyInstance) => void one.get('/forgotten', async () => ({}))
    expect(() => make({ routes: [open] })).toThrow(/GET \/forgotten declares no config\.access/)
  })

  it.each(['staging', 'production'] as const)(
    'does not build with the development login in profile %s',
    (profile) => {
      const routes = [developmentLoginRoutes(undefined as never, profile)]
      expect(() => make({ routes })).toThrow(/development login does not exist in profile/)
    },
  )

  it('answers 404 to the login when the module is not registered', async () => {
    const answer = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: {} })
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ code: 'ERR_ROUTE_NOT_FOUND' })
  })
})

describe('an answer', () => {
  it.each([
    ['200', '/.well-known/jwks.json', 'GET', 200],
    ['400', '/things?page=x', 'GET', 400],
    ['401', '/things', 'GET', 401],
    ['404', '/nowhere', 'GET', 404],
    ['405', '/things', 'PATCH', 405],
    ['414', `/${'a'.repeat(9000)}`, 'GET', 414],
    ['500', '/broken', 'GET', 500],
    ['503', '/known-failure', 'GET', 503],
  ] as const)(
    'of status %s carries every security header and the id of the request',
    async (_, url, method, status) => {
      const answer = await app.inject({
        url,
        method,
        headers: status === 400 ? await bearer() : {},
      })
      expect(answer.statusCode).toBe(status)
      const { 'cache-control': _cache, ...fixed } = SECURITY_HEADERS
      expect(answer.headers).toMatchObject(fixed)
      const id = answer.headers['x-request-id']
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      if (status >= 400) {
        expect(answer.json()).toMatchObject({ instance: id })
        expect(answer.headers['content-type']).toContain('application/problem+json')
        expect(answer.json()).toMatchObject({ status, remedy: expect.any(String) })
      }
    },
  )

  it('tells nothing about an error of ours', async () => {
    const answer = await app.inject('/broken')
    expect(answer.json()).toMatchObject({ code: 'ERR_INTERNAL' })
    expect(answer.body).not.toMatch(/hunter2|postgres|stack/)
  })

  it('keeps the code of a known failure', async () => {
    const answer = await app.inject('/known-failure')
    expect(answer.json()).toMatchObject({
      code: 'ERR_KEYS_UNAVAILABLE',
      detail: 'Vault cannot be reached',
    })
  })

  it('names the allowed methods with 405', async () => {
    const answer = await app.inject({ method: 'DELETE', url: '/things' })
    expect(answer.headers['allow']).toBe('GET, HEAD, POST')
  })

  it('gives CORS headers to a listed origin and none to another', async () => {
    const from = (origin: string) =>
      app.inject({ url: '/.well-known/jwks.json', headers: { origin } })
    expect((await from('https://app.test')).headers['access-control-allow-origin']).toBe(
      'https://app.test',
    )
    for (const origin of ['https://evil.test', 'https://app.test.evil.test', 'null']) {
      expect((await from(origin)).headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

describe('the HTTP parser', () => {
  it.each([
    [
      'header fields beyond 16 kB with 431',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
      431,
    ],
    [
      'a token of 64 kB with 431',
      `GET /things HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'a'.repeat(65_536)}\r\n\r\n`,
      431,
    ],
    [
      'length together with chunks with 400',
      'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a bare line feed with 400', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['folded header lines with 400', 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n', 400],
    ['an unknown method with 400', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ])('answers %s, our headers and a closed connection', async (_, text, status) => {
    const answer = await raw(text)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer.toLowerCase()).toContain('connection: close')
    expect(answer).toContain('x-frame-options: DENY')
    expect(answer).toContain('"code":"ERR_')
  })

  it('answers TRACE with 404 or 405 and does not echo', async () => {
    const answer = await raw(
      'TRACE / HTTP/1.1\r\nHost: a\r\nX-Canary: echo\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 40[45] /)
    expect(answer).not.toContain('echo')
  })
})

describe('the router', () => {
  it.each([
    ['an escape that is none', '/things/%zz', 400],
    ['an escape that is cut', '/things/%', 400],
    ['an overlong encoding', '/things/%C0%AE', 400],
    ['a parameter without end', `/things/${'a'.repeat(600)}`, 414],
  ])(
    'refuses %s in our words, with our headers and without the target',
    async (_, path, status) => {
      const before = refused.length
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(answer).toContain('x-frame-options: DENY')
      expect(answer).toContain('application/problem+json')
      expect(answer).toContain('"code":"ERR_')
      expect(answer).not.toContain(path)
      expect(refused.length).toBe(before + 1)
    },
  )
})

describe('authentication', () => {
  it('does not parse the body of an unauthenticated request to a protected route', async () => {
    parsed.length = 0
    const answer = await app.inject({
      method: 'POST',
      url: '/things',
      headers: { 'content-type': 'application/json' },
      payload: '{ this is no JSON',
    })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(parsed).toEqual([])
  })

  it('answers 401 to an expired token and says that it is invalid', async () => {
    const authorization = `Bearer ${await tokenOf('user', fixedClock('2026-01-01T00:00:00Z'))}`
    const answer = await app.inject({ url: '/things', headers: { authorization } })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
  })

  it('answers 400 to two Authorization fields, whichever is good', async () => {
    const token = await tokenOf()
    const answer = await raw(
      `GET /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nauthorization: Bearer x\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('answers 401 to a token in the query and writes it to no log', async () => {
    const token = await tokenOf()
    const answer = await app.inject(`/things?access_token=${token}`)
    expect(answer.statusCode).toBe(401)
    expect(lines.join('')).not.toContain(token)
  })

  it('forgets the last caller of a connection when the next request brings another token', async () => {
    const { port } = app.server.address() as AddressInfo
    const [one, two] = [await tokenOf(), await tokenOf()]
    const request = (token: string, end = '') =>
      `GET /things HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n${end}\r\n`
    const text = await raw(
      request(one) + request(two) + request(one) + request('a.b.c', 'Connection: close\r\n'),
    )
    const users = [...text.matchAll(/"user":"([^"]+)"/g)].map(([, user]) => user)
    expect(users).toHaveLength(3)
    expect(users[0]).toBe(users[2])
    expect(users[0]).not.toBe(users[1])
    expect(text).toMatch(/HTTP\/1\.1 401 /)
  })

  it('answers 403 and the scope to a role that lacks it', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/things',
      headers: await bearer('guest'),
      payload: { count: 1 },
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({
      code: 'ERR_FORBIDDEN',
      detail: expect.stringContaining('secrets:write'),
    })
  })
})

describe('a body', () => {
  const post = async (payload: string, type = 'application/json') =>
    app.inject({
      method: 'POST',
      url: '/things',
      headers: { ...(await bearer()), 'content-type': type },
      payload,
    })

  it('is taken when it fits', async () => {
    expect((await post('{"count":1}')).json()).toEqual({ count: 1 })
  })

  it.each([
    ['an unknown member', '{"count":1,"tenant_id":"x"}'],
    ['a number as text', '{"count":"1"}'],
    ['a truth value as number', '{"count":true}'],
    ['null', 'null'],
    ['a list', '[]'],
    ['nothing', ''],
    ['no JSON', '{'],
    ['__proto__', '{"count":1,"__proto__":{"admin":true}}'],
    ['constructor.prototype', '{"count":1,"constructor":{"prototype":{"admin":true}}}'],
    ['escaped __proto__', '{"count":1,"\\u005f_proto__":{"admin":true}}'],
    ['a depth of 400', '['.repeat(400) + ']'.repeat(400)],
  ])('with %s is answered 400', async (_, payload) => {
    const answer = await post(payload)
    expect(answer.statusCode).toBe(400)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('names the member that does not fit and never its value', async () => {
    const answer = await post('{"count":"hunter2"}')
    expect(answer.json()).toMatchObject({
      code: 'ERR_VALIDATION',
      detail: 'body.count must be integer',
    })
    expect(answer.body).not.toContain('hunter2')
  })

  it('beyond the limit is answered 413, announced or sent in pieces', async () => {
    expect((await post(`{"count":${'1'.repeat(2000)}}`)).statusCode).toBe(413)
    const chunk = 'a'.repeat(1500)
    const answer = await raw(
      `POST /open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\n${chunk}\r\n0\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'nonsense',
    'application/json\ta',
    'application/jsonx',
  ])('of type %s is answered 415', async (type) => {
    expect((await post('{"count":"1"}', type)).statusCode).toBe(415)
  })

  it.each(['APPLICATION/JSON', 'application/json; charset=utf-8', ' application/json'])(
    'of type "%s" is never taken past the schema',
    async (type) => {
      expect([400, 415]).toContain((await post('{"count":"1"}', type)).statusCode)
    },
  )
})

describe('a query', () => {
  const get = async (query: string) =>
    app.inject({ url: `/things?${query}`, headers: await bearer() })

  it('gives a plain decimal as a number', async () => {
    expect((await get('page=12')).json()).toMatchObject({ query: { page: 12 } })
  })

  it.each([
    'page=0',
    'page=-1',
    'page=1e3',
    'page=0x10',
    'page=01',
    'page=',
    'page=1&page=2',
    'other=1',
    '__proto__=1',
    'page=1.0',
  ])('%s is answered 400', async (query) => {
    expect((await get(query)).statusCode).toBe(400)
  })
})

describe('limits', () => {
  it('answer 429 with Retry-After to the sixth request of a minute, and count it', async () => {
    const limited = make()
    const take = () => limited.inject({ url: '/guarded', remoteAddress: '192.0.2.1' })
    for (let i = 0; i < 5; i++) expect((await take()).statusCode).toBe(200)
    const answer = await take()
    expect(answer.statusCode).toBe(429)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(11)
    expect(answer.headers['ratelimit-policy']).toBe('"auth";q=5;w=60')
    expect(answer.headers['ratelimit']).toMatch(/^"auth";r=0;t=\d+$/)
    expect(answer.headers).toMatchObject({ 'x-frame-options': 'DENY' })
    const text = await metrics.registry.getSingleMetricAsString('rate_limit_exceeded_total')
    expect(text).toContain('endpoint="/guarded"} 1')
  })

  it('give a known caller 10,000 requests in 15 minutes on a route that says nothing else', async () => {
    const { headers } = await app.inject({ url: '/things', headers: await bearer() })
    expect(headers['ratelimit-policy']).toBe('"general";q=10000;w=900')
    expect(headers['ratelimit']).toMatch(/^"general";r=9\d{3};t=\d+$/)
  })

  it('do not believe X-Forwarded-For of somebody who is no listed proxy', async () => {
    const limited = make()
    const take = (n: number) =>
      limited.inject({
        url: '/guarded',
        remoteAddress: '192.0.2.9',
        headers: { 'x-forwarded-for': `198.51.100.${n}` },
      })
    for (let i = 0; i < 5; i++) await take(i)
    expect((await take(9)).statusCode).toBe(429)
  })

  it('believe it of a listed proxy, and only the last hop that is no proxy', async () => {
    const settings = { trustedProxies: ['10.244.0.0/16'], allowedOrigins: [], bodyLimit: 1024 }
    const behind = make({ settings })
    const answer = await behind.inject({
      url: '/address',
      remoteAddress: '10.244.0.7',
      headers: { 'x-forwarded-for': '203.0.113.66, 198.51.100.4' },
    })
    expect(answer.json()).toEqual({ ip: '198.51.100.4' })
  })

  it('put a walk through one /64 into one bucket', async () => {
    const limited = make()
    const take = (n: number) => limited.inject({ url: '/guarded', remoteAddress: `2001:db8::${n}` })
    for (let i = 1; i <= 5; i++) expect((await take(i)).statusCode).toBe(200)
    expect((await take(6)).statusCode).toBe(429)
  })
})

describe('close', () => {
  it('answers the request under way, takes no new one and then ends', async () => {
    let begun = () => {}
    const running = new Promise<void>((resolve) => (begun = resolve))
    const slow = (one: FastifyInstance) =>
      void one.get('/slow', { config: { access: 'public' } }, async () => {
        begun()
        await new Promise((done) => setTimeout(done, 200))
        return { done: true }
      })
    const closing = make({ routes: [slow] })
    const address = await closing.listen({ host: '127.0.0.1', port: 0 })
    const answer = fetch(`${address}/slow`)
    await running
    const closed = closing.close()
    await expect(answer.then((response) => response.json())).resolves.toEqual({ done: true })
    await closed
    await expect(fetch(`${address}/slow`)).rejects.toThrow()
  })
})
