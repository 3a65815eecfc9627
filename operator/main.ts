import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { compose } from './compose.ts'
import { readConfig } from './config.ts'
import { errorForLog } from './error-for-log.ts'
import { runOperator } from './operator.ts'
import { LeaseElection } from './runtime/lease.ts'
import { serveMetrics, serveProbes } from './runtime/observability-server.ts'

const LEAVE_MS = 2_000

const config = readConfig()
const log = pino({ base: { replica: config.identity }, serializers: { err: errorForLog } })
const stopping = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => stopping.abort())
}

let ready = false
let leading = false
const { client, deps, metrics, leave } = await compose(config, log, () => leading)
const [cert, key] = await Promise.all(
  ['tls.crt', 'tls.key'].map((file) => readFile(join(config.tlsDir, file))),
)
const servers = [
  await serveProbes(config.probePort, { ready: () => ready }),
  await serveMetrics(config.metricsPort, metrics.registry, {
    cert: cert ?? Buffer.alloc(0),
    key: key ?? Buffer.alloc(0),
  }),
]
const election = new LeaseElection({
  client,
  lease: { namespace: config.namespace, name: 'palisade-operator' },
  identity: config.identity,
  log,
  retryMs: config.leaseRetryMs,
  durationMs: config.leaseMs,
})

const ended = await runOperator(
  {
    client,
    deps,
    metrics,
    election,
    concurrency: config.concurrency,
    onReady: () => (ready = true),
    onLeading: (leads) => (leading = leads),
  },
  stopping.signal,
)
log.info({ ended }, 'Operator ends')
for (const server of servers) server.close()
// A server that does not take leave is not waited for: the lease is given back, and nothing is under way.
if (ended === 'stopped') await Promise.race([leave(), sleep(LEAVE_MS)])
// At once when the lease is lost: passes that are under way may rest on what another replica has changed.
process.exit(ended === 'lost' ? 1 : 0)
