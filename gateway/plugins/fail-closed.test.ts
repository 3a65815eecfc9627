import Fastify, { type FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { PalisadeError } from '#core/problem'
import { failClosed } from './fail-closed.ts'
import { answerProblems } from './problems.ts'

const ACCESS = { action: 'secret.read', scope: 'secrets:read' } as const
const CONFIGS = {
  '/audited': { access: ACCESS },
  '/login': { access: 'public', audit: 'committed' },
  '/workload': { workload: 'operator' },
  '/public': { access: 'public' },
  '/unaudited': { access: ACCESS, audit: 'none' },
} as const

let done: string[]
let refused: string[]
let problem: PalisadeError | undefined
let app: FastifyInstance
beforeEach(() => {
  ;[done, refused, problem] = [[], [], undefined]
  app = Fastify()
  answerProblems(app, ({ code }) => void refused.push(code))
  failClosed(app, [() => undefined, () => problem])
  for (const [url, config] of Object.entries(CONFIGS)) {
    app.post(url, { config }, async () => void done.push(url))
  }
})

const statusOf = async (url: string) =>
  (await app.inject({ method: 'POST', url, payload: {} })).statusCode
const statuses = async () =>
  Object.fromEntries(
    await Promise.all(Object.keys(CONFIGS).map(async (url) => [url, await statusOf(url)] as const)),
  )

describe('failClosed', () => {
  it('lets everything pass while records can be written', async () => {
    expect(new Set(Object.values(await statuses()))).toEqual(new Set([200]))
  })

  it('refuses what leaves a record, login and workloads included, before it does anything', async () => {
    problem = new PalisadeError('ERR_AUDIT_STORAGE_FULL', 'there is no room')
    expect(await statuses()).toEqual({
      ...{ '/audited': 503, '/login': 503, '/workload': 503, '/public': 200, '/unaudited': 200 },
    })
    expect([done.sort(), refused]).toEqual([
      ['/public', '/unaudited'],
      Array(3).fill('ERR_AUDIT_STORAGE_FULL'),
    ])
  })

  it('says in its answer when to come back, and works again when the obstacle is gone', async () => {
    problem = new PalisadeError('ERR_AUDIT_STORAGE_FULL', 'there is no room')
    const answer = await app.inject({ method: 'POST', url: '/audited', payload: {} })
    expect(answer.headers['retry-after']).toBe('30')
    expect(answer.json()).toMatchObject({ code: 'ERR_AUDIT_STORAGE_FULL', status: 503 })
    problem = undefined
    expect(await statusOf('/audited')).toBe(200)
  })

  it('answers a path that is not served as ever', async () => {
    problem = new PalisadeError('ERR_AUDIT_STORAGE_FULL', 'there is no room')
    expect(await statusOf('/nowhere')).toBe(404)
  })
})
