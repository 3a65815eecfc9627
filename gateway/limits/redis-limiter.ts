import type { Redis } from 'ioredis'
import { burstMicros, intervalMicros, type LimitDecision } from './gcra.ts'
import { GCRA_LUA } from './gcra-lua.ts'
import type { Limiter } from './limiter.ts'
import { LocalLimiter } from './local-limiter.ts'
import type { LimitPolicy } from './policy.ts'

type WithGcra = Redis & {
  palisadeGcra(
    key: string,
    interval: number,
    burst: number,
  ): Promise<[number, number, number, number]>
}

export interface RedisLimiterOptions {
  /** Replicas that share the limits; each admits this part of them while Redis is away. */
  readonly replicas: () => number
  readonly onFallback?: (error: unknown) => void
}

/** Quota shared by all replicas; a Redis that does not answer in time costs accuracy, never availability. */
export class RedisLimiter implements Limiter {
  readonly #redis: WithGcra
  readonly #local = new LocalLimiter()
  readonly #options: RedisLimiterOptions

  constructor(redis: Redis, options: RedisLimiterOptions) {
    redis.defineCommand('palisadeGcra', { numberOfKeys: 1, lua: GCRA_LUA })
    this.#redis = redis as WithGcra
    this.#options = options
  }

  async take(policy: LimitPolicy, subject: string): Promise<LimitDecision> {
    // Counted here as well, so that a Redis that falls silent does not open the limit a second time.
    const alone = this.#takeWithoutRedis(policy, subject)
    if (this.#redis.status !== 'ready') return alone
    try {
      const key = `rl:{${policy.name}:${subject}}`
      const [allowed, remaining, retryAfterMs, resetMs] = await this.#redis.palisadeGcra(
        key,
        intervalMicros(policy),
        burstMicros(policy),
      )
      return { allowed: allowed === 1, remaining, retryAfterMs, resetMs }
    } catch (error) {
      this.#options.onFallback?.(error)
      return alone
    }
  }

  ready() {
    const { status } = this.#redis
    return status === 'ready'
      ? { ok: true, reason: 'connected' }
      : { ok: false, reason: `Redis connection is "${status}"; limits are counted per replica` }
  }

  async close(): Promise<void> {
    this.#local.close().catch(() => undefined)
    this.#redis.disconnect()
  }

  #takeWithoutRedis(policy: LimitPolicy, subject: string): LimitDecision {
    if (policy.withoutRedis === 'open') {
      return { allowed: true, remaining: policy.limit, retryAfterMs: 0, resetMs: 0 }
    }
    return this.#local.take(shareOf(policy, this.#options.replicas()), subject)
  }
}

/** limit / replicas, at least 1: together the replicas admit no more than the limit. */
export function shareOf(policy: LimitPolicy, replicas: number): LimitPolicy {
  return { ...policy, limit: Math.max(1, Math.floor(policy.limit / Math.max(1, replicas))) }
}
