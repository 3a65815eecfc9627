import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import {
  keyDirectory,
  person,
  startGateway,
  TEST_NAMES,
  type TestGateway,
  type TestGatewayOptions,
} from '../test/support/gateway.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../test/support/postgres.ts'
import { startRedis, type TestRedis } from '../test/support/redis.ts'
import { startSlowProxy, type SlowProxy } from '../test/support/slow-proxy.ts'
import { issueAccessToken } from './identity/access-token.ts'
import { connectRedis } from './limits/redis-connection.ts'
import { RedisLimiter } from './limits/redis-limiter.ts'

let db: PalisadeDatabase
let keys: Awaited<ReturnType<typeof keyDirectory>>
const stops: (() => Promise<unknown>)[] = []
const alice = person()

beforeAll(async () => {
  ;[db, keys] = await Promise.all([startPalisadeDatabase(), keyDirectory()])
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
afterAll(() => Promise.all([db?.stop(), keys?.remove()]))

async function start(options: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  const gateway = await startGateway(db, { directory: keys.path, ...options })
  stops.push(() => gateway.stop())
  await gateway.store.ensureUser({ userId: alice.id, tenantId: alice.tenantId })
  return gateway
}

const put = (gateway: TestGateway, name: string, key: string, value = name) =>
  gateway.ask(alice, 'PUT', `/api/secrets/${name}`, {
    body: { value },
    headers: { 'idempotency-key': key },
  })

/** Of one secret: versions, and records that say it was written. */
async function effects(name: string): Promise<{ versions: number; records: number }> {
  const [row] = await db.query<{ versions: string; records: string }>(
    `select (
       select count(*) from palisade.secret_versions v
       join palisade.enterprise_secrets s on s.id = v.secret_id where s.name = $1
     ) as versions, (
       select count(*) from palisade.secret_audit_logs
       where convert_from(record, 'UTF8') like '%"secret.write"%'
         and convert_from(record, 'UTF8')::jsonb -> 'details' ->> 'name' = $1
     ) as records`,
    [name],
  )
  return { versions: Number(row?.versions), records: Number(row?.records) }
}

describe('a database that crashes under 150 writes', () => {
  it('leaves each answered once or with 503, and the same again by its key', async () => {
    const gateway = await start()
    const writes = Array.from({ length: 150 }, (_, i) => ({
      name: `crash-${i}`,
      key: randomUUID(),
    }))
    const [backend] = await db.query<{ pid: number }>(
      `select pid from pg_stat_activity where usename = 'palisade_app_a' limit 1`,
    )
    let answered = 0
    const first = await Promise.all(
      writes.map(async ({ name, key }) => {
        const answer = await put(gateway, name, key)
        // One process that dies takes the memory of all with it: the server restarts every one and recovers.
        if ((answered += 1) === 20) process.kill(backend?.pid ?? 0, 'SIGKILL')
        return answer
      }),
    )
    const codes = first
      .filter(({ statusCode }) => statusCode !== 201)
      .map((answer) => `${answer.statusCode} ${answer.json<{ code: string }>().code}`)
    expect(codes.length).toBeGreaterThan(0)
    for (const code of codes) {
      expect(['503 ERR_OUTCOME_UNKNOWN', '503 ERR_DATABASE_UNAVAILABLE']).toContain(code)
    }
    await expect.poll(() => gateway.store.ready(), { timeout: 30_000 }).toMatchObject({ ok: true })
    for (const [i, { name, key }] of writes.entries()) {
      const again = await put(gateway, name, key)
      expect(again.json(), name).toMatchObject({ name, version: 1 })
      const before = first[i]
      if (before?.statusCode === 201) expect(again.json()).toEqual(before.json())
      expect(await effects(name), name).toEqual({ versions: 1, records: 1 })
    }
  })
})

describe('a primary that became a standby', () => {
  it('is left by each connection that hears of it, with 503, and writes go on when there is a primary', async () => {
    const gateway = await start({ database: { max: 2 } })
    const readOnly = async (on: string) => {
      await db.query(`alter system set default_transaction_read_only = ${on}`)
      await db.query('select pg_reload_conf()')
    }
    try {
      await readOnly('on')
      await expect
        .poll(async () => (await put(gateway, `standby-${randomUUID()}`, randomUUID())).statusCode)
        .toBe(503)
      const answer = await put(gateway, 'standby', 'standby-key-1')
      expect(answer.json()).toMatchObject({ code: 'ERR_DATABASE_UNAVAILABLE' })
      expect(answer.headers['retry-after']).toBe('1')
    } finally {
      await db.query('alter system reset default_transaction_read_only')
      await db.query('select pg_reload_conf()')
    }
    await expect
      .poll(async () => (await put(gateway, 'standby', 'standby-key-1')).statusCode)
      .toBe(201)
    expect(await effects('standby')).toEqual({ versions: 1, records: 1 })
  })
})

describe('a gateway that is killed between commit and answer', () => {
  it('leaves the record behind, and another replica gives the answer by the key', async () => {
    const gateway = await start()
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../test/support/gateway-process.ts')],
      {
        env: {
          ...process.env,
          GATEWAY_WORLD: JSON.stringify({ app: db.app, directory: keys.path }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    stops.push(async () => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    const subject = { userId: alice.id, tenantId: alice.tenantId, role: 'user', tokenVersion: 0 }
    const token = await issueAccessToken(
      subject as Parameters<typeof issueAccessToken>[0],
      gateway.keys.signing,
      TEST_NAMES,
      systemClock,
    )
    const answer = fetch(`http://127.0.0.1:${port.toString().trim()}/api/secrets/killed`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': 'killed-key-1',
      },
      body: JSON.stringify({ value: 'killed' }),
    })
    await expect(answer).rejects.toThrow()
    expect((await ended)[1]).toBe('SIGKILL')
    expect(await effects('killed')).toEqual({ versions: 1, records: 1 })
    const again = await put(gateway, 'killed', 'killed-key-1')
    expect(again.json()).toMatchObject({ name: 'killed', version: 1 })
    expect((await put(gateway, 'killed', 'killed-key-1', 'another')).statusCode).toBe(422)
    expect(await effects('killed')).toEqual({ versions: 1, records: 1 })
  })
})

describe('Redis', () => {
  let redis: TestRedis
  let proxy: SlowProxy

  async function withRedis(): Promise<TestGateway> {
    redis = await startRedis()
    proxy = await startSlowProxy(redis.port)
    const address = { host: '127.0.0.1', port: proxy.port, username: '', password: Sealed.of('') }
    const limiter = new RedisLimiter(
      connectRedis({ ...address, ca: undefined }, () => undefined),
      { replicas: () => 3 },
    )
    stops.push(
      () => redis.stop(),
      () => proxy.stop(),
      () => limiter.close(),
    )
    await expect.poll(() => limiter.ready().ok).toBe(true)
    return start({ limiter })
  }
  const login = async (gateway: TestGateway, remoteAddress: string) =>
    (
      await gateway.app.inject({
        method: 'POST',
        url: '/api/v1/auth/login',
        payload: { email: 'nobody@test.invalid', password: 'wrong' },
        remoteAddress,
      })
    ).statusCode
  /** All at once, however long each takes: one more is admitted every twelve seconds. */
  const logins = async (gateway: TestGateway, times: number, address: string) => {
    const asked = Array.from({ length: times }, () => login(gateway, address))
    return (await Promise.all(asked)).sort()
  }

  it('that is gone leaves logins the share of one replica and closes nothing else', async () => {
    const gateway = await withRedis()
    await redis.stop()
    // A third of five, of which none passes that Redis did not see.
    expect(await logins(gateway, 3, '192.0.2.1')).toEqual([401, 429, 429])
    expect((await put(gateway, 'without-redis', randomUUID())).statusCode).toBe(201)
    expect((await gateway.ask(alice, 'GET', '/api/secrets/without-redis')).statusCode).toBe(200)
  })

  it('that answers after ten seconds costs accuracy and neither an error nor the ten seconds', async () => {
    const gateway = await withRedis()
    proxy.delay(10_000)
    expect(await logins(gateway, 2, '192.0.2.2')).toEqual([401, 429])
    const before = performance.now()
    expect((await put(gateway, 'slow-redis', randomUUID())).statusCode).toBe(201)
    expect(performance.now() - before).toBeLessThan(10_000)
  })

  it('that was flushed admits one burst more, and then counts again', async () => {
    const gateway = await withRedis()
    expect(await logins(gateway, 6, '192.0.2.3')).toEqual([401, 401, 401, 401, 401, 429])
    const client = new Redis(redis.port, '127.0.0.1')
    await client.flushall()
    client.disconnect()
    expect(await logins(gateway, 6, '192.0.2.3')).toEqual([401, 401, 401, 401, 401, 429])
  })
})
