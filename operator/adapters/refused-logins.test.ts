import { describe, expect, it } from 'vitest'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import { createRefusedLogins, type ServerLogs } from './refused-logins.ts'

const { signal } = new AbortController()
const START = new Date('2026-11-27T07:00:00Z')
const at = (second: number) => new Date(START.getTime() + second * 1_000)
const backend = {
  metadata: { name: 'main', uid: 'u' },
  spec: {
    serverLogs: {
      namespace: 'data',
      podSelector: { matchLabels: { db: 'main' } },
      container: 'pg',
    },
  },
} as unknown as RotationBackend

const record = (role: string, from: string) =>
  JSON.stringify({
    logger: 'postgres',
    record: {
      user_name: role,
      connection_from: `${from}:4711`,
      error_severity: 'FATAL',
      sql_state_code: '28000',
      message: `role "${role}" is not permitted to log in`,
    },
  })

type Lines = readonly (readonly [second: number, line: string])[]

/** Servers by pod, each with the lines of its log after the first one; a pod without lines cannot be read. */
function world(pods: Record<string, Lines | null>, firstLine = -3_600) {
  let clock = 0
  let looks = 0
  const logs: ServerLogs = {
    pods: () => {
      looks += 1
      return Promise.resolve(Object.keys(pods))
    },
    piece: (_backend, pod) => (since, limitBytes) => {
      const lines = pods[pod]
      if (!lines) return Promise.reject(new Error('a secret of the API server'))
      const from = since === undefined ? 0 : Date.parse(since)
      const all: Lines = [[firstLine, 'server starts'], ...lines]
      const late = all.filter(([second]) => at(second).getTime() >= from)
      const text = late.map(([s, line]) => `${at(s).toISOString()} ${line}\n`).join('')
      return Promise.resolve(text.slice(0, limitBytes))
    },
  }
  const port = createRefusedLogins(
    logs,
    () => new Set(['10.0.0.99']),
    () => clock,
    () => new Date(START.getTime() + clock),
  )
  return {
    ask: (role: string, since = START) => port.of(backend, role, since, signal),
    wait: (ms: number) => void (clock += ms),
    looks: () => looks,
  }
}

describe('RefusedLogins', () => {
  it('counts by address over every server what one role was refused since a moment', async () => {
    const { ask } = world({
      'db-1': [
        [1, record('shop_a', '10.0.0.7')],
        [5, record('shop_a', '10.0.0.7')],
        [6, record('shop_b', '10.0.0.8')],
      ],
      'db-2': [[7, record('shop_a', '10.0.0.9')]],
    })
    expect(await ask('shop_a', at(2))).toEqual({
      kind: 'seen',
      clients: [
        { address: '10.0.0.7', count: 1, lastAt: at(5).toISOString() },
        { address: '10.0.0.9', count: 1, lastAt: at(7).toISOString() },
      ],
    })
    expect(await ask('shop_c', at(2))).toEqual({ kind: 'seen', clients: [] })
  })

  it('does not count what the operator itself tried', async () => {
    const { ask } = world({ 'db-1': [[1, record('shop_a', '10.0.0.99')]] })
    expect(await ask('shop_a')).toEqual({ kind: 'seen', clients: [] })
  })

  it('reads once for all rotations that look within a second', async () => {
    const { ask, wait, looks } = world({ 'db-1': [] })
    await Promise.all(['a', 'b', 'c'].map((role) => ask(role)))
    await ask('d', at(9))
    expect(looks()).toBe(1)
    wait(1_001)
    await ask('a')
    expect(looks()).toBe(2)
  })

  it('reads again from the beginning for a rotation that began earlier', async () => {
    const { ask } = world({ 'db-1': [[3, record('shop_a', '10.0.0.7')]] })
    expect(await ask('shop_a', at(5))).toMatchObject({ clients: [] })
    expect(await ask('shop_a', at(2))).toMatchObject({ clients: [{ count: 1 }] })
  })

  it('names the server that cannot be read, in words of its own', async () => {
    const { ask } = world({ 'db-1': [], 'db-2': null })
    expect(await ask('shop_a')).toEqual({
      kind: 'unseen',
      reason: 'ServerLogsUnreadable',
      message: 'the log of db-2 cannot be read',
    })
  })

  it('tells of a client that one server refused, even if another one cannot be read', async () => {
    const { ask } = world({ 'db-1': [[1, record('shop_a', '10.0.0.7')]], 'db-2': null })
    expect(await ask('shop_a')).toMatchObject({ kind: 'seen', clients: [{ address: '10.0.0.7' }] })
  })

  it('does not take a log for seen whose flood may have hidden a refusal', async () => {
    const flood = Array.from({ length: 900 }, () => [3, 'x'.repeat(1_000)] as const)
    const { ask, wait } = world({ 'db-1': [...flood, [3, record('shop_a', '10.0.0.7')]] })
    const message = 'the log of db-1 holds a second too full to be read'
    const unseen = { kind: 'unseen', reason: 'ServerLogsUnreadable', message }
    expect(await ask('shop_a')).toEqual(unseen)
    wait(1_001)
    expect(await ask('shop_a')).toEqual(unseen)
    expect(await ask('shop_a', at(4))).toEqual({ kind: 'seen', clients: [] })
  })

  it('does not take a log for seen that begins after the moment it is asked for', async () => {
    const { ask } = world({ 'db-1': [] }, 3)
    const message = 'the log of db-1 begins anew, and what was in it before is gone'
    const unseen = { kind: 'unseen', reason: 'ServerLogsUnreadable', message }
    expect(await ask('shop_a')).toEqual(unseen)
    expect(await ask('shop_a', at(4))).toEqual({ kind: 'seen', clients: [] })
  })

  it('does not take a log for seen whose writer leaves records out', async () => {
    const burst = Array.from({ length: 100 }, () => [5, record('x', '10.0.0.1')] as const)
    const { ask } = world({ 'db-1': burst })
    const message = 'the log of db-1 lacks records: too many came within a second'
    expect(await ask('shop_a')).toMatchObject({ reason: 'ServerLogsUnreadable', message })
  })

  it('does not forget a server that went away with the rest of its log', async () => {
    const pods: Record<string, Lines | null> = { 'db-1': [], 'db-2': [] }
    const { ask, wait } = world(pods)
    expect(await ask('shop_a')).toEqual({ kind: 'seen', clients: [] })
    delete pods['db-2']
    wait(2_000)
    const message = 'db-2 is gone, and the end of its log with it'
    expect(await ask('shop_a')).toMatchObject({ reason: 'ServerLogsUnreadable', message })
    wait(2_000)
    expect(await ask('shop_a', at(3))).toEqual({ kind: 'seen', clients: [] })
  })

  it('sees nothing where no pod fits, and where the backend names none', async () => {
    expect(await world({}).ask('shop_a')).toMatchObject({ reason: 'ServerLogsUnreadable' })
    const bare = { ...backend, spec: { ...backend.spec, serverLogs: undefined } }
    const port = createRefusedLogins({} as ServerLogs, () => new Set())
    const answer = await port.of(bare as unknown as RotationBackend, 'shop_a', START, signal)
    expect(answer).toMatchObject({ kind: 'unseen', reason: 'ServerLogsNotGiven' })
  })
})
