import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_HOST, caPath } from '../../local/answer.ts'
import { HOST_PORTS } from '../../local/bare/layout.ts'
import { type EdgeAnswer, type EdgeClient, edgeClient } from '../support/edge.ts'

const HEADERS = {
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'geolocation=(), microphone=()',
  'x-xss-protection': '0',
}

function expectHeaders({ headers }: Pick<EdgeAnswer, 'headers'>): void {
  expect(headers).toMatchObject(HEADERS)
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("object-src 'none'")
  // Neither nginx nor the gateway tells its version.
  expect(`${String(headers['server'])} ${String(headers['x-powered-by'])}`).not.toMatch(/\d/)
}

let edge: EdgeClient
beforeAll(async () => (edge = await edgeClient()))
afterAll(() => edge.close())

describe('answers through the machine’s own ports', () => {
  it.each([
    ['200 of the gateway', '/.well-known/jwks.json', {}, 200],
    ['401 of the gateway', '/api/secrets/x', {}, 401],
    ['404 of the edge', '/nowhere', {}, 404],
    ['414 of the edge', `/api/${'a'.repeat(9_000)}`, {}, 414],
    [
      '413 of the edge',
      '/api/v1/auth/login',
      { method: 'POST', json: { x: 'a'.repeat(20_000) } },
      413,
    ],
  ] as const)('%s over HTTP/2 carries every security header', async (_, path, wish, status) => {
    const answer = await edge.call(path, wish)
    expect(answer.status, answer.body).toBe(status)
    expectHeaders(answer)
    expect([...edge.protocols]).toEqual(['h2'])
  })

  it('431 of the edge carries them too; over HTTP/2 it would end the connection', async () => {
    const old = await edgeClient({ http2: false })
    const headers = { 'x-long': 'a'.repeat(9_000) }
    const answer = await old.call('/api/secrets/x', { headers }).finally(() => old.close())
    expect(answer.status).toBe(431)
    expectHeaders(answer)
    expect([...old.protocols]).toEqual(['http/1.1'])
  })

  it('301 of the plain port leads to the same place over TLS, and carries them', async () => {
    const { statusCode, headers, body } = await request(
      `http://127.0.0.1:${HOST_PORTS.http}/api/secrets?x=1`,
      { headers: { host: API_HOST } },
    )
    await body.dump()
    expect(statusCode).toBe(301)
    expect(headers['location']).toBe(`https://${API_HOST}:${HOST_PORTS.https}/api/secrets?x=1`)
    expectHeaders({ headers })
  })

  it('400 answers plain HTTP on the TLS port, and carries them', async () => {
    const { statusCode, headers, body } = await request(
      `http://127.0.0.1:${HOST_PORTS.https}/api/secrets`,
      { headers: { host: API_HOST } },
    )
    await body.dump()
    expect(statusCode).toBe(400)
    expectHeaders({ headers })
  })
})

describe('the address of a client', () => {
  const login = (headers: Record<string, string>): Promise<EdgeAnswer> =>
    edge.call('/api/v1/auth/login', {
      method: 'POST',
      json: { email: 'nobody@example.com', password: 'x' },
      headers,
    })

  it('is not what the client writes into headers: forged addresses share one limit', async () => {
    const forged = Array.from({ length: 20 }, (_, n) => {
      const address = `198.51.100.${n + 1}`
      return login({
        'x-forwarded-for': address,
        'x-real-ip': address,
        forwarded: `for=${address}`,
      })
    })
    const begun = performance.now()
    const answers = await Promise.all(forged)
    const refused = answers.filter(({ status }) => status === 429)
    // Five, and one more every twelve seconds.
    const admitted = 5 + Math.floor((performance.now() - begun) / 12_000)
    const told = answers.map(({ status }) => status).join()
    expect(refused.length, told).toBeGreaterThanOrEqual(20 - admitted)
    for (const answer of refused) {
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expectHeaders(answer)
    }
  })

  it('is not what the client writes into a PROXY line of its own', async () => {
    const socket = connect(HOST_PORTS.http, '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.write(
      `PROXY TCP4 198.51.100.99 127.0.0.1 1 8080\r\nGET / HTTP/1.1\r\nHost: ${API_HOST}\r\n\r\n`,
    )
    await closed
    // The relay’s own line came before it, so this one is read as a request and a broken one.
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('TLS through the machine’s own port', () => {
  async function handshake(version: string): Promise<string> {
    const child = promisify(execFile)('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${HOST_PORTS.https}`, '-servername', API_HOST],
      ...[`-${version}`, '-cipher', 'ALL:@SECLEVEL=0', '-CAfile', caPath()],
    ])
    child.child.stdin?.end()
    const { stdout } = await child.catch((error: { stdout: string }) => error)
    return stdout
  }

  it.each(['tls1', 'tls1_1'])('is refused with %s', async (version) => {
    expect(await handshake(version)).toContain('Cipher is (NONE)')
  })

  it.each([
    ['tls1_2', /Cipher is ECDHE-/],
    ['tls1_3', /Cipher is TLS_/],
  ])('is spoken with %s, by a certificate of the platform’s authority', async (version, cipher) => {
    const told = await handshake(version)
    expect(told).toMatch(cipher)
    expect(told).toContain('Verify return code: 0 (ok)')
  })
})
