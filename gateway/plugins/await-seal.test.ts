import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { answerAfterSeal } from './await-seal.ts'
import { answerProblems } from './problems.ts'

const RECORD = { id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398e', tenantId: 'tenant' }
const apps: FastifyInstance[] = []
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())))

/** An app whose log seals a record when it was asked for it so many times. */
function world(sealedAfter: number, limitMs = 2_000) {
  const app = Fastify()
  apps.push(app)
  const asked: string[] = []
  answerProblems(app, () => undefined)
  const seals = {
    areSealed: async (tenant: string, ids: readonly string[]) => {
      asked.push(`${tenant}:${ids.join()}`)
      return asked.length > sealedAfter
    },
  }
  answerAfterSeal(app, seals, { limitMs, everyMs: 1 })
  const body = Readable.from(['one', 'two'])
  app.post('/sealed', { config: { audit: 'sealed' } }, async (request, reply) => {
    request.committedRecords?.push(RECORD)
    return reply.code(201).header('location', '/made').send({ made: true })
  })
  app.get('/stream', { config: { audit: 'sealed' } }, async (request, reply) => {
    request.committedRecords?.push(RECORD)
    return reply.type('application/jsonl').header('content-disposition', 'attachment').send(body)
  })
  app.get('/forgetful', { config: { audit: 'sealed' } }, async () => ({}))
  app.get('/ordinary', async (request) => ({ records: request.committedRecords }))
  return { app, asked, body }
}

describe("a route declared audit: 'sealed'", () => {
  it('answers when its record is sealed, and not before', async () => {
    const { app, asked } = world(3)
    const answer = await app.inject({ method: 'POST', url: '/sealed' })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ made: true })
    expect(asked).toEqual(Array(4).fill(`tenant:${RECORD.id}`))
  })

  it('streams its body once the record is sealed', async () => {
    const answer = await world(2).app.inject({ url: '/stream' })
    expect([answer.statusCode, answer.body]).toEqual([200, 'onetwo'])
  })

  it('answers 503 with the id of the committed record when no seal comes in time', async () => {
    const { app } = world(Infinity, 20)
    const answer = await app.inject({ method: 'POST', url: '/sealed' })
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({ code: 'ERR_AUDIT_NOT_SEALED' })
    expect(answer.json<{ detail: string }>().detail).toContain(RECORD.id)
    expect(answer.headers['location']).toBeUndefined()
  })

  it('tells nothing of a body that it does not send, and closes its stream', async () => {
    const { app, body } = world(Infinity, 20)
    const answer = await app.inject({ url: '/stream' })
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.headers['content-disposition']).toBeUndefined()
    expect(body.destroyed).toBe(true)
  })

  it('answers 500 when its handler left no record', async () => {
    const answer = await world(0).app.inject({ url: '/forgetful' })
    expect(answer.statusCode).toBe(500)
  })

  it('is not registered where nothing can see seals', () => {
    const app = Fastify()
    apps.push(app)
    answerAfterSeal(app, undefined)
    expect(() => app.get('/sealed', { config: { audit: 'sealed' } }, async () => ({}))).toThrow(
      /GET \/sealed waits for seals/,
    )
  })
})

describe('any other route', () => {
  it('waits for nothing', async () => {
    const { app, asked } = world(Infinity)
    expect((await app.inject({ url: '/ordinary' })).json()).toEqual({ records: null })
    expect(asked).toEqual([])
  })
})
