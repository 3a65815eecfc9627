import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { gcra } from './gcra.ts'
import { AUTH, PUBLIC, type LimitPolicy } from './policy.ts'
import { connectRedis } from './redis-connection.ts'
import { RedisLimiter } from './redis-limiter.ts'

let redis: TestRedis
const limiters: RedisLimiter[] = []
let connection: Redis
/** Decisions that Redis had no part in. */
let late = 0

// What the gateway's user in a cluster may do, and nothing else.
const ACL =
  'user gateway on >pass ~rl:* resetchannels -@all +eval +evalsha +get +set +time +info +script|load'

beforeAll(async () => {
  redis = await startRedis({ config: [ACL, 'user default off'] })
})
afterAll(() => redis?.stop())
afterEach(async () => {
  await Promise.all(limiters.splice(0).map((limiter) => limiter.close()))
})

async function limiter(replicas = 1, password = 'pass'): Promise<RedisLimiter> {
  const { host, port } = redis
  const address = { host, port, username: 'gateway', password: Sealed.of(password), ca: undefined }
  connection = connectRedis(address, () => undefined)
  const onFallback = () => (late += 1)
  const one = new RedisLimiter(connection, { replicas: () => replicas, onFallback })
  limiters.push(one)
  // Before that each would count by itself.
  if (password === 'pass') await expect.poll(() => one.ready().ok).toBe(true)
  return one
}

const unique = (policy: LimitPolicy): LimitPolicy => ({ ...policy, name: `p${Math.random()}` })
const countAllowed = (all: readonly { allowed: boolean }[]) =>
  all.filter((one) => one.allowed).length

describe('RedisLimiter', () => {
  it('admits exactly the limit of a burst over three replicas, with the rights it has in a cluster', async () => {
    const three = [await limiter(), await limiter(), await limiter()]
    const burst = async () => {
      late = 0
      const policy = unique({ ...AUTH, limit: 100, periodMs: 3_600_000 })
      const asked = Array.from(
        { length: 600 },
        (_, i) => three[i % 3]?.take(policy, 'one') ?? Promise.reject(new Error()),
      )
      return countAllowed(await Promise.all(asked))
    }
    let admitted = await burst()
    // Whom a busy machine answers too late decides by itself, as it should, and of that burst nothing follows.
    for (let again = 0; late > 0 && again < 20; again += 1) admitted = await burst()
    expect([late, admitted]).toEqual([0, 100])
  })

  it('decides like the pure function', async () => {
    const one = await limiter()
    const policy = unique({ ...AUTH, limit: 7, periodMs: 70_000 })
    let arrival: number | undefined
    const start = 1e15
    for (let i = 0; i < 10; i++) {
      const step = gcra(policy, arrival, start)
      arrival = step.arrival
      const decision = await one.take(policy, 'x')
      expect(decision.allowed).toBe(step.decision.allowed)
      expect(decision.remaining).toBe(step.decision.remaining)
      // Some milliseconds pass between two calls to a real server.
      expect(Math.abs(decision.resetMs - step.decision.resetMs)).toBeLessThan(5_000)
      expect(Math.abs(decision.retryAfterMs - step.decision.retryAfterMs)).toBeLessThan(5_000)
    }
  })

  it('leaves no key behind that lives longer than its period', async () => {
    const one = await limiter()
    const policy = unique({ ...AUTH, periodMs: 200 })
    for (let i = 0; i < 5; i++) await one.take(policy, 'short')
    await new Promise((done) => setTimeout(done, 300))
    expect(await connection.get(`rl:{${policy.name}:short}`)).toBeNull()
  })

  it('counts its share by itself while Redis is cut off without a reset, and waits for no answer that does not come', async () => {
    const one = await limiter(5)
    const policy = unique({ ...AUTH, limit: 10 })
    redis.freeze()
    try {
      const decisions: boolean[] = []
      for (let i = 0; i < 4; i++) {
        const before = performance.now()
        decisions.push((await one.take(policy, 'x')).allowed)
        expect(performance.now() - before).toBeLessThan(5_000)
      }
      expect(decisions).toEqual([true, true, false, false])
    } finally {
      redis.thaw()
    }
  })

  it('lets routes pass that are declared open while Redis is away', async () => {
    const one = await limiter(5)
    const policy = unique({ ...PUBLIC, limit: 1 })
    redis.freeze()
    try {
      const all = [await one.take(policy, 'x'), await one.take(policy, 'x')]
      expect(countAllowed(all)).toBe(2)
    } finally {
      redis.thaw()
    }
  })

  it('counts locally and says why when Redis refuses the password', async () => {
    const one = await limiter(1, 'wrong')
    const policy = unique({ ...AUTH, limit: 1 })
    expect((await one.take(policy, 'x')).allowed).toBe(true)
    expect((await one.take(policy, 'x')).allowed).toBe(false)
  })
})
