import { randomBytes, randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AuditEvent } from '#api/audit-event'
import type { ErrorCode } from '#api/error-codes'
import { fixedClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import type { AuditRow } from '../ports/audit-records.ts'
import { AuditWriter } from '../services/audit.ts'
import { PersonalFields } from '../services/personal-fields.ts'
import { GatewayMetrics } from './metrics.ts'
import { Refusals } from './refusals.ts'

const clock = fixedClock('2026-11-21T12:00:00Z')
const key = { id: 'audit-1', key: Sealed.of<Uint8Array>(randomBytes(32)) }
const ROUTE = '/api/secrets/:name'

let store: MemoryStore
let committed: AuditRow[]
let refusals: Refusals
beforeEach(() => {
  store = new MemoryStore()
  committed = []
  const wrapper = new KeyFileWrapper(Sealed.of(randomBytes(32)))
  const personal = new PersonalFields(wrapper, clock)
  refusals = new Refusals({
    ...{ clock, store, key, writer: 'gateway-0', metrics: new GatewayMetrics() },
    log: pino({ level: 'silent' }),
    audit: new AuditWriter({ clock, personal, macKeys: [key], writer: 'gateway-0' }),
    committed: (row) => void committed.push(row),
  })
})

const alice = {
  ...{ userId: randomUUID(), tenantId: randomUUID(), tokenId: randomUUID() },
  ...{ roles: ['guest'], tokenVersion: 0 },
}

async function refuse(code: ErrorCode, caller: object | null = alice): Promise<void> {
  const problem = new PalisadeError(code, 'no')
  const request = {
    ...{ id: randomUUID(), method: 'PUT', ip: '192.0.2.1', headers: {}, caller },
    routeOptions: { url: ROUTE },
  }
  await refusals.onProblem(problem, request as unknown as FastifyRequest, problem)
}

const typesOf = (rows: readonly AuditRow[]) =>
  rows.map(({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as AuditEvent).eventType)

async function counted(): Promise<object[]> {
  await refusals.flush()
  return store.counts.map(({ kind, reason, count }) => ({ kind, reason, count }))
}

describe('a refusal of a known caller', () => {
  it('is a record, and counted nowhere', async () => {
    await refuse('ERR_FORBIDDEN')
    await refuse('ERR_RATE_LIMITED')
    await refuse('ERR_INTERNAL')
    const types = ['access.refused', 'request.rate-limited', 'request.failed']
    expect(typesOf(store.rows)).toEqual(types)
    expect(typesOf(committed)).toEqual(types)
    expect(await counted()).toEqual([])
  })

  it('is counted when its record cannot be written', async () => {
    store.failure = new Error('disk full')
    await refuse('ERR_FORBIDDEN')
    expect(store.rows).toEqual([])
    expect(committed).toEqual([])
    expect(await counted()).toEqual([{ kind: 'surplus', reason: 'ERR_FORBIDDEN', count: 1 }])
  })

  it('is counted without a try while the database is away', async () => {
    await refuse('ERR_DATABASE_UNAVAILABLE')
    expect(store.rows).toEqual([])
    expect(await counted()).toMatchObject([{ reason: 'ERR_DATABASE_UNAVAILABLE', count: 1 }])
  })

  it('is counted from the 31st of a minute on', async () => {
    for (let i = 0; i < 33; i += 1) await refuse('ERR_FORBIDDEN')
    expect(store.rows).toHaveLength(30)
    expect(await counted()).toMatchObject([{ kind: 'surplus', count: 3 }])
  })

  it('is nothing of the kind when the request was wrong in form', async () => {
    for (const code of ['ERR_VALIDATION', 'ERR_NOT_FOUND', 'ERR_CONFLICT'] as const) {
      await refuse(code)
    }
    expect([store.rows, await counted()]).toEqual([[], []])
  })
})

describe('a refusal of nobody known', () => {
  it('is counted and has no record of its own', async () => {
    await refuse('ERR_TOKEN_INVALID', null)
    await refuse('ERR_TOKEN_INVALID', null)
    expect(store.rows).toEqual([])
    expect(await counted()).toEqual([
      { kind: 'unauthenticated', reason: 'ERR_TOKEN_INVALID', count: 2 },
    ])
  })
})
