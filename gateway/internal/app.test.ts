import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { generatePassword } from '#core/password'
import { PalisadeError } from '#core/problem'
import { LocalLimiter } from '../limits/local-limiter.ts'
import { GatewayMetrics } from '../observe/metrics.ts'
import type { Workload } from '../ports/callers.ts'
import type { AuditIntake } from '../services/audit-intake.ts'
import { buildInternal, type InternalDeps } from './app.ts'
import { RecentReviews } from './recent-reviews.ts'
import type { Review } from './token-reviewer.ts'

const OPERATOR = 'system:serviceaccount:palisade-system:operator'
/** What the API server would say of each token. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  operator: OPERATOR,
  namesake: 'system:serviceaccount:shop:operator',
  sealer: 'system:serviceaccount:palisade-system:sealer',
  person: 'alice@example.org',
}
const entry = (details: object = {}) => ({
  type: 'rotation.begin',
  outcome: 'success',
  rotationId: '5f0c2a52-6f0e-4a0e-8a53-0c9c3d8b3f11',
  seq: 1,
  at: '2026-11-21T11:59:58.123Z',
  resource: {
    kind: 'SecretRotation',
    cluster: 'main',
    namespace: 'shop',
    name: 'orders',
    uid: '0b8c',
  },
  details,
})

let metrics: GatewayMetrics
let refused: { status: number; workload: Workload | null | undefined }[]
let taken: Workload[]
let app: FastifyInstance

function build(review: (token: string) => Promise<Review> = answer): FastifyInstance {
  metrics = new GatewayMetrics()
  refused = []
  taken = []
  const deps: InternalDeps = {
    logger: pino({ level: 'silent' }),
    metrics,
    refusals: {
      onProblem: ({ status }, { workload }) => {
        refused.push({ status, workload })
        return undefined
      },
    },
    // Time stands still, so that no request comes back into the quota while the test runs.
    addresses: new LocalLimiter(() => 0),
    entries: new LocalLimiter(() => 0),
    reviews: new RecentReviews(review),
    accounts: { operator: OPERATOR },
    cluster: 'main',
    intake: {
      take: async (who: Workload, _origin: unknown, entries: readonly unknown[]) => {
        taken.push(who)
        return { accepted: entries.length, repeated: 0 }
      },
    } as unknown as AuditIntake,
  }
  return buildInternal(deps)
}
const answer = async (token: string): Promise<Review> => {
  const name = ACCOUNTS[token]
  return name === undefined ? { kind: 'unknown' } : { kind: 'account', name }
}
beforeEach(() => {
  app = build()
})

const post = (token: string | undefined, payload: object = { entries: [entry()] }) =>
  app.inject({
    method: 'POST',
    url: '/audit/ingest',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    payload,
  })

describe('POST /audit/ingest', () => {
  it('takes what the operator tells', async () => {
    const response = await post('operator')
    expect([response.statusCode, response.json()]).toEqual([200, { accepted: 1, repeated: 0 }])
    expect(taken).toEqual([{ kind: 'operator', id: 'main/palisade-system/operator' }])
  })

  it('answers 401 without a token and with one that the cluster does not know, before it reads the body', async () => {
    for (const token of [undefined, 'stranger']) {
      const response = await post(token, { entries: 'not looked at' })
      expect(response.statusCode).toBe(401)
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/)
      expect(response.headers['content-type']).toContain('application/problem+json')
    }
    expect(refused.map(({ workload }) => workload)).toEqual([null, null])
  })

  it.each([
    ['sealer', { kind: 'serviceAccount', id: 'main/palisade-system/sealer' }],
    ['namesake', { kind: 'serviceAccount', id: 'main/shop/operator' }],
    // Who is no workload may be a person, whose name no record holds.
    ['person', null],
  ])('answers 403 to %s and tells the refusals who it was', async (token, workload) => {
    expect((await post(token)).statusCode).toBe(403)
    expect(refused).toEqual([{ status: 403, workload }])
    expect(taken).toEqual([])
  })

  it('answers 503 while the API server cannot be asked, and not 401', async () => {
    app = build(() =>
      Promise.reject(
        new PalisadeError('ERR_CALLER_UNRECOGNISABLE', 'the API server did not answer'),
      ),
    )
    const response = await post('operator')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ code: 'ERR_CALLER_UNRECOGNISABLE' })
    expect(taken).toEqual([])
  })

  it('answers 400 to two Authorization fields, whatever each of them says', async () => {
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as { port: number }
    const { request } = await import('node:http')
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/audit/ingest' },
        (r) => resolve(r.resume().statusCode),
      )
      sent.on('error', reject)
      sent.setHeader('authorization', ['Bearer operator', 'Bearer sealer'])
      sent.end()
    })
    expect(status).toBe(400)
    await app.close()
  })

  it.each([
    ['an action of the gateway', { ...entry(), type: 'secret.read' }],
    ['an action of the sealer', { ...entry(), type: 'audit.epoch-opened' }],
    ['an unknown member', { ...entry(), actor: 'somebody' }],
    ['an unknown detail', entry({ note: 'x' })],
    ['a password for a role', entry({ role: generatePassword() })],
    ['a password for a reason', entry({ reason: generatePassword() })],
    ['a password for a workload', entry({ workload: `Deployment/${generatePassword()}_` })],
    ['a password for an id', { ...entry(), rotationId: generatePassword() }],
    ['a key in base64', entry({ backend: randomBytes(32).toString('base64') })],
    ['a sentence', entry({ reason: 'Alice asked for it' })],
    ['a time that is none', { ...entry(), at: 'yesterday' }],
  ])('answers 400 to %s', async (_, wrong) => {
    const response = await post('operator', { entries: [wrong] })
    expect(response.statusCode, response.body).toBe(400)
    expect(taken).toEqual([])
  })

  it('answers 400 to no entry and to more than a hundred', async () => {
    for (const entries of [[], Array.from({ length: 101 }, () => entry())]) {
      expect((await post('operator', { entries })).statusCode).toBe(400)
    }
  })

  it('answers 413 to a body that is announced longer than it takes', async () => {
    const response = await app.inject({
      method: 'POST',
      url: '/audit/ingest',
      headers: { authorization: 'Bearer operator', 'content-length': '262145' },
      payload: '{}',
    })
    expect(response.statusCode).toBe(413)
  })

  it('answers 429 when one address asks too often, before a token is looked at', async () => {
    const asked = Array.from({ length: 1_201 }, () => post(undefined))
    const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status === 401)).toHaveLength(1_200)
    expect(statuses.filter((status) => status === 429)).toHaveLength(1)
  })

  it('answers 429 when one account tells more than 6,000 entries in a minute', async () => {
    const entries = Array.from({ length: 100 }, () => entry())
    for (let batch = 0; batch < 60; batch++) {
      expect((await post('operator', { entries })).statusCode).toBe(200)
    }
    const response = await post('operator')
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '1'])
    expect(response.json()).toMatchObject({ code: 'ERR_RATE_LIMITED' })
    expect(taken).toHaveLength(60)
    expect(refused).toHaveLength(1)
  })

  it('counts requests by route and reviews by what came of them', async () => {
    await post('operator')
    await post('operator')
    await post('stranger')
    const text = await metrics.registry.metrics()
    expect(text).toContain(
      'http_requests_total{method="POST",route="/audit/ingest",status="200"} 2',
    )
    expect(text).toContain('palisade_token_reviews_total{result="account",source="review"} 1')
    expect(text).toContain('palisade_token_reviews_total{result="account",source="cache"} 1')
    expect(text).toContain('palisade_token_reviews_total{result="unknown",source="review"} 1')
  })
})

describe('buildInternal', () => {
  it('answers 405 and 404 as problems, and has no route of the public app', async () => {
    const get = await app.inject('/audit/ingest')
    expect([get.statusCode, get.headers['allow']]).toEqual([405, 'POST'])
    expect((await app.inject('/api/secrets')).statusCode).toBe(404)
    expect((await app.inject('/livez')).statusCode).toBe(404)
  })

  it('does not build with a route that names no workload', () => {
    expect(() => app.get('/open', async () => 'open')).toThrow('declares no config.workload')
  })
})
