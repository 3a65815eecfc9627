import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { systemClock, type Clock } from '../../core/clock.ts'
import { assembleGateway, type Gateway } from '../../gateway/assemble.ts'
import { loadFileKeys } from '../../gateway/embedded/file-keys.ts'
import { issueAccessToken } from '../../gateway/identity/access-token.ts'
import type { DevelopmentUser } from '../../gateway/identity/development-users.ts'
import { loadOrMakeKeyFile } from '../../gateway/keys/key-file.ts'
import type { Role } from '../../gateway/identity/roles.ts'
import { KeyFileWrapper } from '../../gateway/keys/key-file-wrapper.ts'
import type { PlatformKeys } from '../../gateway/keys/platform-keys.ts'
import type { Limiter } from '../../gateway/limits/limiter.ts'
import { LocalLimiter } from '../../gateway/limits/local-limiter.ts'
import { AuditVolume } from '../../gateway/observe/audit-volume.ts'
import { GatewayMetrics } from '../../gateway/observe/metrics.ts'
import type { KeyWrapper } from '../../gateway/ports/key-wrapper.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import type { PalisadeDatabase } from './postgres.ts'

/** The gateway on a real database, with keys in files; a second one of the same directory is a second replica. */
export interface TestGateway extends Gateway {
  readonly app: FastifyInstance
  readonly store: PostgresStore
  readonly metrics: GatewayMetrics
  readonly volume: AuditVolume
  readonly keys: PlatformKeys
  /** What it logged. */
  readonly lines: string[]
  ask(who: Person, method: string, url: string, ask?: Ask): Promise<LightMyRequestResponse>
  stop(): Promise<void>
}

export interface Person {
  readonly id: string
  readonly tenantId: string
}

export interface Ask {
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly role?: Role
}

export interface TestGatewayOptions {
  readonly directory: string
  readonly limiter?: Limiter
  readonly wrapper?: KeyWrapper
  readonly users?: readonly DevelopmentUser[]
  readonly onLine?: (line: string) => void
  readonly trustedProxies?: readonly string[]
  /** Room of the database's volume, measured when the test says so. */
  readonly capacityBytes?: number
  readonly level?: 'trace' | 'warn'
  readonly clock?: Clock
  readonly database?: ConstructorParameters<typeof PostgresStore>[0]
}

export const person = (): Person => ({ id: randomUUID(), tenantId: randomUUID() })

export async function keyDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'palisade-gateway-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export const TEST_NAMES = { issuer: 'https://api.test', audience: 'palisade' }

export async function startGateway(
  db: Pick<PalisadeDatabase, 'app'>,
  options: TestGatewayOptions,
): Promise<TestGateway> {
  const root = await loadOrMakeKeyFile(join(options.directory, 'key'))
  const keys = await loadFileKeys(options.directory, root, systemClock)
  const metrics = new GatewayMetrics()
  const store = new PostgresStore({ ...db.app, ...options.database }, metrics)
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
    options.onLine?.(line)
  }
  const clock = options.clock ?? systemClock
  const log = pino({ level: options.level ?? 'warn' }, { write })
  const capacityBytes = options.capacityBytes ?? 0
  const volume = new AuditVolume({ store, log, metrics, capacityBytes })
  const gateway = assembleGateway({
    profile: 'dev',
    clock,
    log,
    volume,
    store,
    wrapper: options.wrapper ?? new KeyFileWrapper(root),
    limiter: options.limiter ?? new LocalLimiter(),
    metrics,
    keys,
    names: TEST_NAMES,
    writer: `test-${randomUUID().slice(0, 8)}`,
    settings: {
      trustedProxies: options.trustedProxies ?? [],
      allowedOrigins: [],
      bodyLimit: 262_144,
    },
    developmentUsers: options.users ?? [],
  })
  await gateway.app.ready()
  return {
    ...gateway,
    store,
    metrics,
    volume,
    keys,
    lines,
    async ask(who, method, url, { body, headers = {}, role = 'user' } = {}) {
      const { id: userId, tenantId } = who
      const subject = { userId, tenantId, role, tokenVersion: 0 }
      const token = await issueAccessToken(subject, keys.signing, TEST_NAMES, clock)
      return gateway.app.inject({
        method: method as 'GET',
        url,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body ? { payload: body } : {}),
      })
    },
    async stop() {
      await gateway.app.close()
      await store.close()
    },
  }
}
