import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { developmentLogin, edgeClient } from '../support/edge.ts'

let edge: Awaited<ReturnType<typeof edgeClient>>
let token = ''

const code = (body: string): string => (JSON.parse(body) as { code: string }).code

beforeAll(async () => {
  edge = await edgeClient()
  const answer = await edge.call('/api/v1/auth/login', {
    method: 'POST',
    json: await developmentLogin(),
  })
  expect(answer.status, answer.body).toBe(200)
  token = (JSON.parse(answer.body) as { accessToken: string }).accessToken
})
afterAll(() => edge.close())

describe('a secret through the edge', () => {
  const path = `/api/secrets/e2e-${randomUUID().slice(0, 8)}`
  const value = `canary-${randomUUID()}`

  it('is stored and read back by its owner', async () => {
    const stored = await edge.call(path, {
      method: 'PUT',
      token,
      json: { value },
      headers: { 'idempotency-key': randomUUID() },
    })
    expect(stored.status, stored.body).toBe(201)
    const read = await edge.call(path, { token })
    expect(read.status, read.body).toBe(200)
    expect(JSON.parse(read.body)).toMatchObject({ value, version: 1 })
    expect(read.headers['cache-control']).toContain('no-store')
  })

  it('keeps a value that looks like an attack, for the WAF does not read bodies of secret routes', async () => {
    const attack = "' OR 1=1; DROP TABLE users; -- <script>alert(1)</script> $(cat /etc/passwd)"
    const stored = await edge.call(`${path}-attack`, {
      method: 'PUT',
      token,
      json: { value: attack },
    })
    expect(stored.status, stored.body).toBe(201)
    const read = await edge.call(`${path}-attack`, { token })
    expect(JSON.parse(read.body)).toMatchObject({ value: attack })
  })

  it('answers 401 without a token', async () => {
    const { status, body } = await edge.call(path)
    expect([status, code(body)]).toEqual([401, 'ERR_UNAUTHENTICATED'])
  })

  it('answers 401 to a token whose claims were changed', async () => {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: randomUUID() })).toString(
      'base64url',
    )
    const { status } = await edge.call(path, { token: `${header}.${forged}.${signature}` })
    expect(status).toBe(401)
  })
})

describe('login through the edge', () => {
  it('answers 429 with Retry-After after five attempts in a minute', async () => {
    const attempts = Array.from({ length: 12 }, () =>
      edge.call('/api/v1/auth/login', {
        method: 'POST',
        json: { email: 'nobody@example.com', password: 'x' },
      }),
    )
    const answers = await Promise.all(attempts)
    const refused = answers.filter((answer) => answer.status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(7)
    for (const answer of refused) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401, 429]))
  })
})
