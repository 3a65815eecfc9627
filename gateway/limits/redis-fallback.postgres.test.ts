import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { AUTH } from './policy.ts'
import { connectRedis } from './redis-connection.ts'
import { RedisLimiter } from './redis-limiter.ts'

let redis: TestRedis
beforeAll(async () => (redis = await startRedis({ config: ['user default on >pass ~* +@all'] })))
afterAll(() => redis?.stop())

describe('RedisLimiter', () => {
  it('goes on counting where it was when Redis falls silent', async () => {
    const { host, port } = redis
    const address = { host, port, username: 'default', password: Sealed.of('pass'), ca: undefined }
    const limiter = new RedisLimiter(
      connectRedis(address, () => undefined),
      { replicas: () => 1 },
    )
    for (let i = 0; i < 100 && !limiter.ready().ok; i++) await new Promise((r) => setTimeout(r, 20))
    const take = async (times: number): Promise<number> => {
      let admitted = 0
      for (let i = 0; i < times; i++) admitted += (await limiter.take(AUTH, 'x')).allowed ? 1 : 0
      return admitted
    }
    try {
      expect(await take(3)).toBe(3)
      redis.freeze()
      expect(await take(4)).toBe(AUTH.limit - 3)
    } finally {
      redis.thaw()
      await limiter.close()
    }
  })
})
