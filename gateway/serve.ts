import type { Server } from 'node:https'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '#core/clock'
import { redact } from '#core/redact'
import { assembleGateway } from './assemble.ts'
import type { GatewayConfig } from './config.ts'
import { loadOrMakeDevelopmentUsers } from './keys/development-users.ts'
import type { openVault } from './keys/open-vault.ts'
import { loadPlatformKeys, reloadSigningKeys } from './keys/platform-keys.ts'
import { VaultTransitWrapper } from './keys/vault-transit-wrapper.ts'
import { shutDownOnSignal } from './lifecycle.ts'
import { connectRedis } from './limits/redis-connection.ts'
import { RedisLimiter } from './limits/redis-limiter.ts'
import { listen } from './listen.ts'
import { RecentReviews } from './internal/recent-reviews.ts'
import { TokenReviewer } from './internal/token-reviewer.ts'
import { AuditVolume } from './observe/audit-volume.ts'
import { GatewayMetrics } from './observe/metrics.ts'
import { Readiness } from './observe/readiness.ts'
import { buildOperations } from './operations.ts'
import { untilItWorks } from './retry.ts'
import { refuseUnfitRole } from './startup-checks.ts'
import { PostgresStore } from './store/postgres-store.ts'
import { databaseAuthority, readTlsFiles, renewTls, serverTls } from './tls-files.ts'

const API_PORT = 3000
/** For programs of the platform; not routed by the edge. */
const INTERNAL_PORT = 3443
const OPERATIONS_PORT = 9464
const EVERYWHERE = '::'
const SECOND = 1_000
const MINUTE = 60_000
/** At 100 MB/s a volume of 10 GiB fills its last twentieth in as long. */
const MEASURE_VOLUME = 5 * SECOND

export interface ServeDeps {
  readonly config: GatewayConfig
  readonly vault: Awaited<ReturnType<typeof openVault>>
  readonly log: FastifyBaseLogger
  readonly clock: Clock
}

/** The server in a cluster. Probes answer from the beginning, requests when everything they rest on is there. */
export async function serve({ config, vault, log, clock }: ServeDeps): Promise<void> {
  if (config.fallbacks.length > 0) {
    const where = 'Settings come from the environment or .env, as profile dev alone allows'
    log.warn({ settings: config.fallbacks, profile: config.profile }, where)
  }
  let tls = await readTlsFiles(config.vault.tlsDirectory)
  const metrics = new GatewayMetrics()
  const readiness = new Readiness((check, ok) => metrics.checks.set({ check }, ok ? 1 : 0))
  const operations = buildOperations({
    registries: [metrics.registry],
    readiness,
    tls: serverTls(tls),
  })
  await listen(operations, { host: EVERYWHERE, port: OPERATIONS_PORT, flag: 'the pod spec' })

  const store = new PostgresStore(
    {
      ...config.database,
      password: config.database.password.reveal(),
      ssl: { ca: await databaseAuthority(tls.ca), rejectUnauthorized: true },
    },
    metrics,
  )
  await untilItWorks(log, 'database', () => refuseUnfitRole(store))
  const keys = await untilItWorks(log, 'keys', () => loadPlatformKeys(vault.kv, clock))
  const wrapper = new VaultTransitWrapper(vault.client)
  const redis = connectRedis({ ...config.redis, ca: tls.ca }, (error) =>
    log.warn({ error: redact(error) }, 'Redis connection failed'),
  )
  const limiter = new RedisLimiter(redis, {
    replicas: () => config.replicas,
    onFallback: () => metrics.limiterFallbacks.inc(),
  })
  const capacityBytes = config.auditVolumeBytes
  const volume = new AuditVolume({ store, log, metrics, capacityBytes })
  await volume.measure()
  const { audience, apiServer, cluster, operator } = config.workloads
  const reviewer = new TokenReviewer(apiServer, audience)
  const reviews = new RecentReviews((token) => reviewer.review(token))
  const isDev = config.profile === 'dev'
  const { app, internal, refusals, readings } = assembleGateway({
    profile: config.profile,
    clock,
    log,
    store,
    wrapper,
    limiter,
    metrics,
    keys,
    names: { issuer: config.publicUrl, audience: 'palisade' },
    writer: config.podName,
    settings: { ...config, tls: serverTls(tls) },
    volume,
    workloads: { cluster, accounts: { operator }, reviews },
    ...(isDev
      ? {
          developmentUsers: await untilItWorks(log, 'users', async () => {
            return (await loadOrMakeDevelopmentUsers(vault.kv, config.profile)).users
          }),
        }
      : {}),
  })
  await listen(app, { host: EVERYWHERE, port: API_PORT, flag: 'the pod spec' })
  if (internal) {
    await listen(internal, { host: EVERYWHERE, port: INTERNAL_PORT, flag: 'the pod spec' })
  }
  readiness.started([
    { name: 'database', check: () => store.ready() },
    { name: 'keys', check: () => wrapper.ready() },
    // Without Redis limits are stricter, not absent: no reason to take the service away.
    { name: 'redis', check: async () => limiter.ready(), optional: true },
    // Health and what leaves no record are still served.
    { name: 'audit', check: async () => volume.ready(), optional: true },
  ])
  const servers = [app, operations, ...(internal ? [internal] : [])].map(
    ({ server }) => server as unknown as Server,
  )
  const secondly = setInterval(() => {
    void refusals.flush()
    void readings.record()
  }, SECOND)
  const measuring = setInterval(() => void volume.measure(), MEASURE_VOLUME)
  const minutely = setInterval(() => {
    void reloadSigningKeys(vault.kv, clock, (error) =>
      log.error({ error: redact(error) }, 'Could not read the signing keys'),
    ).then((now) => now && keys.signing.replaceWith(now))
    renewTls(config.vault.tlsDirectory, tls, servers).then(
      (now) => (tls = now),
      (error: unknown) => log.error({ error: redact(error) }, 'Could not read the certificate'),
    )
  }, MINUTE)

  shutDownOnSignal({
    log,
    limitMs: 35_000,
    steps: [
      { name: 'readiness', run: () => readiness.drain() },
      { name: 'requests', run: () => Promise.all([app.close(), internal?.close()]) },
      { name: 'timers', run: () => [secondly, measuring, minutely].forEach(clearInterval) },
      { name: 'counters', run: () => refusals.close() },
      { name: 'readings', run: () => readings.record() },
      { name: 'operations', run: () => operations.close() },
      { name: 'database', run: () => store.close() },
      { name: 'limits', run: () => limiter.close() },
      { name: 'keys', run: () => vault.client.close() },
      { name: 'recognition', run: () => reviewer.close() },
    ],
  })
}
