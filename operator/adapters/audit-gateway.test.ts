import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Compile from 'typebox/compile'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OPERATOR_EVENT_TYPES } from '#api/audit-event'
import { IngestRequest } from '#api/rest/audit-ingest'
import { AUDIT_ACTIONS, type AuditEntry } from '../secret-rotation/audit-outbox.ts'
import { createGatewayAudit } from './audit-gateway.ts'

const owner = { cluster: 'main', namespace: 'shop', name: 'orders', uid: '0b8c' }
const entry = (seq: number): AuditEntry => ({
  action: 'rotation.publish',
  rotationId: 'r-1',
  seq,
  at: '2026-11-21T12:00:00.000Z',
  details: { version: 4, role: 'shop_orders_b' },
})

const received: { authorization: string | undefined; body: unknown }[] = []
let status = 200
/** Numbers of steps that the intake refuses for themselves. */
let refused: readonly number[] = []
const server = createServer((request, response) => {
  void text(request).then((body) => {
    const parsed = JSON.parse(body) as IngestRequest
    received.push({ authorization: request.headers.authorization, body: parsed })
    const wrong = parsed.entries.some(({ seq }) => refused.includes(seq))
    response.writeHead(wrong ? 409 : status).end()
  })
})
let dir = ''
let url = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-token-'))
  await writeFile(join(dir, 'token'), 'projected\n')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await rm(dir, { recursive: true })
})
beforeEach(() => {
  received.length = 0
  status = 200
  refused = []
})

const sink = () => createGatewayAudit({ url, tokenFile: join(dir, 'token'), ca: undefined })
const deliver = (entries: readonly AuditEntry[]) =>
  sink().deliver(owner, entries, AbortSignal.timeout(5_000))
const tell = (entries: readonly AuditEntry[]) =>
  sink().tell(owner, entries, AbortSignal.timeout(5_000))

describe('createGatewayAudit', () => {
  it('sends what the intake takes, with the projected token', async () => {
    await deliver([entry(7)])
    expect(received.map(({ authorization }) => authorization)).toEqual(['Bearer projected'])
    expect(Compile(IngestRequest).Check(received[0]?.body)).toBe(true)
    expect(received[0]?.body).toMatchObject({
      entries: [
        { type: 'rotation.publish', seq: 7, resource: { kind: 'SecretRotation', ...owner } },
      ],
    })
  })

  it('sends a long outbox in parts, oldest first', async () => {
    await deliver(Array.from({ length: 150 }, (_, i) => entry(i)))
    const bodies = received.map(({ body }) => body as IngestRequest)
    expect(bodies.map(({ entries }) => entries.length)).toEqual([100, 50])
    expect(bodies[0]?.entries[0]?.seq).toBe(0)
  })

  it('keeps the entries when the intake refuses', async () => {
    status = 503
    await expect(deliver([entry(1)])).rejects.toThrow('the intake answered 503')
  })

  it('isolates the entries that are refused and delivers all others', async () => {
    refused = [3, 120]
    const entries = Array.from({ length: 150 }, (_, seq) => entry(seq))
    const told = await tell(entries)
    expect(told.refused.map(({ seq }) => seq)).toEqual([3, 120])
    expect(told.taken).toHaveLength(148)
    expect(told.failure).toBeUndefined()
    await expect(deliver(entries)).rejects.toThrow('the intake refused 2 entries')
  })

  it('asks a bounded number of times for a batch that is refused entry by entry', async () => {
    const entries = Array.from({ length: 250 }, (_, seq) => entry(seq))
    refused = entries.map(({ seq }) => seq)
    const told = await tell(entries)
    expect(received.length).toBeLessThanOrEqual(16)
    expect(told.refused.length).toBeGreaterThan(0)
    expect(told.failure).toBeUndefined()
    await expect(deliver(entries)).rejects.toThrow('the intake refused')
  })

  it('comes to an end when it is asked again for what was left untold', async () => {
    const entries = Array.from({ length: 250 }, (_, seq) => entry(seq))
    refused = entries.filter(({ seq }) => seq % 3 === 0).map(({ seq }) => seq)
    let left: readonly AuditEntry[] = entries
    const taken: number[] = []
    for (let pass = 0; left.length > 0 && pass < 100; pass += 1) {
      const told = await tell(left)
      taken.push(...told.taken.map(({ seq }) => seq))
      const settled = [...told.taken, ...told.refused]
      left = left.filter((one) => !settled.includes(one))
    }
    expect(left).toEqual([])
    const fit = entries.map(({ seq }) => seq).filter((seq) => !refused.includes(seq))
    expect(taken.toSorted((a, b) => a - b)).toEqual(fit)
  })

  it('goes no further than an answer that is not about the entries', async () => {
    status = 401
    const told = await tell(Array.from({ length: 150 }, (_, seq) => entry(seq)))
    expect(told).toMatchObject({ taken: [], refused: [], failure: expect.anything() })
    expect(received).toHaveLength(1)
  })

  it('tells the uid of the resource whose step it was', async () => {
    await deliver([{ ...entry(1), uid: 'former' }])
    expect(received[0]?.body).toMatchObject({
      entries: [{ resource: { ...owner, uid: 'former' } }],
    })
  })

  it.each([
    ['a beginning', { reason: 'CurrentIsRefused', version: 2, role: 'shop_orders-x_b' }],
    ['a restart of a workload', { workload: 'StatefulSet/orders.v2-db', version: 2 }],
    ['a restart of a bare Pod', { workload: 'Pod/orders-7c9f', version: 2 }],
    ['an adoption', { from: 'main/shop/orders.v2/0b8c7a6e-0000-4000-8000-000000000001' }],
    ['a release', { policy: 'Abandoned' }],
    ['an orphan', { policy: 'Retain', cause: 'ERR_BACKEND_UNREACHABLE', backend: 'main.eu' }],
    ['a fence put forward', { cause: 'FenceResynced', roles: 'shop_orders_a,shop_orders_b' }],
  ])('tells %s in a form that the intake takes', async (_, details) => {
    await deliver([{ ...entry(1), details }])
    expect(Compile(IngestRequest).Check(received[0]?.body)).toBe(true)
  })

  it('reports only actions of the closed list', () => {
    expect(AUDIT_ACTIONS.filter((action) => !OPERATOR_EVENT_TYPES.includes(action))).toEqual([])
  })
})
