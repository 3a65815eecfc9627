import { Redis } from 'ioredis'
import type { Sealed } from '#core/sealed'

export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: Sealed<string>
  /** CA bundle; undefined means no TLS and is refused outside profile dev. */
  readonly ca: string | undefined
}

/** A request waits at most this long for Redis before it is counted locally. */
const COMMAND_TIMEOUT_MS = 250

export function connectRedis(address: RedisAddress, onError: (error: Error) => void): Redis {
  const redis = new Redis({
    host: address.host,
    port: address.port,
    ...(address.username === '' ? {} : { username: address.username }),
    ...(address.password.reveal() === '' ? {} : { password: address.password.reveal() }),
    ...(address.ca === undefined
      ? {}
      : { tls: { ca: address.ca, servername: address.host, minVersion: 'TLSv1.2' } }),
    connectTimeout: 2_000,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // With a queue a request would wait for the reconnection instead of being counted locally.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // A half-open connection is noticed by silence, since nothing resets it; keep-alive alone does not see it while
    // something sent is unanswered, and until then each request would wait and each command would be kept.
    socketTimeout: 2_000,
    keepAlive: 5_000,
    retryStrategy: (times) =>
      Math.min(2_000, 50 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  })
  // Without a listener ioredis prints the error, with the address, past our logger.
  redis.on('error', onError)
  return redis
}
