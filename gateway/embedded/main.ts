import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { assembleGateway } from '../assemble.ts'
import { deriveKey, loadOrMakeKeyFile } from '../keys/key-file.ts'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import { shutDownOnSignal } from '../lifecycle.ts'
import { LocalLimiter } from '../limits/local-limiter.ts'
import { listen, refuseTakenPort } from '../listen.ts'
import { makeLog } from '../observe/log.ts'
import { GatewayMetrics } from '../observe/metrics.ts'
import { Readiness } from '../observe/readiness.ts'
import { buildOperations } from '../operations.ts'
import { signingKeyOf } from '../services/audit.ts'
import { readEmbeddedConfig, USAGE, type EmbeddedConfig } from './config.ts'
import { loadFileKeys } from './file-keys.ts'
import { loadOrMakeFirstUser } from './first-user.ts'
import { greeting } from './greeting.ts'
import { openByUrl, openOwn } from './open-database.ts'
import { startSealing } from './sealing.ts'

const started = performance.now()
try {
  const config = readEmbeddedConfig()
  if (config === 'help') process.stdout.write(USAGE)
  else await run(config)
} catch (error) {
  const known = error instanceof PalisadeError
  process.stderr.write(`${known ? error.message : String((error as Error).stack)}\n`)
  process.exit(1)
}

async function run(config: EmbeddedConfig): Promise<void> {
  const { dataDirectory, host } = config
  const api = { host, port: config.port, flag: '--port' }
  const probes = { host, port: config.operationsPort, flag: '--operations-port' }
  await refuseTakenPort(api)
  await refuseTakenPort(probes)
  const metrics = new GatewayMetrics()
  // Before the folder and the key: a database that turns us away must leave nothing behind that nobody asked for.
  const given =
    config.databaseUrl === undefined ? undefined : await openByUrl(config.databaseUrl, metrics)
  await mkdir(dataDirectory, { recursive: true })
  const logFile = join(dataDirectory, 'gateway.log')
  const destination = pino.destination({ dest: logFile, sync: false })
  const log = makeLog({ level: config.logLevel, service: 'palisade-gateway', destination })
  const clock = systemClock
  const root = await loadOrMakeKeyFile(join(dataDirectory, 'key'))
  const password = deriveKey(root, 'embedded-postgres').toString('base64url')
  const database = given ?? (await openOwn(dataDirectory, password, log, metrics))
  const { store } = database
  const keys = await loadFileKeys(dataDirectory, root, clock)
  const firstUser = await loadOrMakeFirstUser(dataDirectory)
  const gateway = assembleGateway({
    profile: 'dev',
    clock,
    log,
    store,
    wrapper: new KeyFileWrapper(root),
    limiter: new LocalLimiter(),
    metrics,
    keys,
    names: { issuer: `http://${host}:${config.port}`, audience: 'palisade' },
    writer: 'embedded',
    settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 262_144 },
    developmentUsers: firstUser.users,
  })
  const mac = signingKeyOf(keys.auditMac)
  const sealing =
    database.sealer &&
    (await startSealing(database.sealer, dataDirectory, log, {
      id: mac.id,
      secret: mac.key.reveal(),
    }))
  const readiness = new Readiness()
  readiness.started([
    { name: 'database', check: () => store.ready() },
    ...(sealing ? [{ name: 'audit', check: async () => sealing.ready(), optional: true }] : []),
  ])
  const registries = [metrics.registry, ...(sealing ? [sealing.registry] : [])]
  const operations = buildOperations({ registries, readiness })
  await listen(gateway.app, api)
  await listen(operations, probes)
  const second = setInterval(() => {
    void gateway.refusals.flush()
    void gateway.readings.record()
  }, 1_000)
  process.stdout.write(
    greeting({ config, firstUser, logFile, tookMs: performance.now() - started }),
  )
  shutDownOnSignal({
    log,
    limitMs: 20_000,
    steps: [
      { name: 'readiness', run: () => readiness.drain() },
      { name: 'requests', run: () => gateway.app.close() },
      { name: 'timers', run: () => clearInterval(second) },
      { name: 'counters', run: () => gateway.refusals.close() },
      { name: 'readings', run: () => gateway.readings.record() },
      { name: 'audit', run: () => sealing?.stop() },
      { name: 'operations', run: () => operations.close() },
      { name: 'connections', run: () => store.close() },
      { name: 'database', run: () => database.stop() },
      { name: 'log', run: () => destination.flushSync() },
    ],
  })
}
