import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { pino } from 'pino'
import { systemClock } from '#core/clock'
import { createGatewayAudit } from './adapters/audit-gateway.ts'
import { createDatabases } from './adapters/databases.ts'
import { createConsumers } from './adapters/kubernetes-consumers.ts'
import {
  createBackends,
  createRotationObjects,
  createSecrets,
} from './adapters/kubernetes-objects.ts'
import { VaultClient } from './adapters/vault-client.ts'
import { VaultKv } from './adapters/vault-kv.ts'
import { createStateStore, createValueStore } from './adapters/vault-stores.ts'
import { readConfig } from './config.ts'
import { errorForLog } from './error-for-log.ts'
import { createFailpoint, noFailpoint } from './failpoints.ts'
import { everyNowAndThen } from './login-turns.ts'
import { runOperator } from './operator.ts'
import type { Deps } from './ports.ts'
import { createRotationMetrics } from './rotation-metrics.ts'
import { createApiClient, endpointFrom } from './runtime/api-client.ts'
import { createEventRecorder } from './runtime/events.ts'
import { LeaseElection } from './runtime/lease.ts'
import { createMetrics } from './runtime/metrics.ts'
import { serveMetrics, serveProbes } from './runtime/observability-server.ts'
import { refusalByBackend } from './secret-rotation/eligibility.ts'

const config = readConfig()
const log = pino({ base: { replica: config.identity }, serializers: { err: errorForLog } })
const stopping = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => stopping.abort())
}

const kubeconfig = new KubeConfig()
if (config.kubeconfig === undefined) kubeconfig.loadFromCluster()
else kubeconfig.loadFromFile(config.kubeconfig)
const client = createApiClient(await endpointFrom(kubeconfig))

const tls = async (file: string) => readFile(join(config.tlsDir, file))
const ca = (await tls('ca.crt')).toString('utf8')
const vault = new VaultClient({ ...config.vault, ca })
const databases = createDatabases(config.tlsDir)
const metrics = createMetrics()
let ready = false
let leading = false

const deps: Deps = {
  cluster: config.cluster,
  rotations: createRotationObjects(client),
  backends: createBackends(client),
  states: createStateStore(new VaultKv(vault, 'palisade-state'), config.cluster),
  values: createValueStore(new VaultKv(vault, 'apps')),
  databaseOf: (backend) => databases.of(backend),
  eligibility: { refusal: refusalByBackend },
  secrets: createSecrets(client),
  consumers: createConsumers(client),
  audit: config.gateway && createGatewayAudit({ ...config.gateway, ca }),
  events: createEventRecorder({
    client,
    controller: 'palisade.dev/operator',
    instance: config.identity,
    log,
  }),
  metrics: createRotationMetrics(metrics.registry),
  clock: systemClock,
  log,
  failpoint: config.failpoint ? createFailpoint(config.failpoint) : noFailpoint,
  timing: { pollMs: config.pollMs, resyncMs: config.resyncMs },
  isLeader: () => leading,
  shouldTryLogin: everyNowAndThen(config.resyncMs),
}

const servers = [
  await serveProbes(config.probePort, { ready: () => ready }),
  await serveMetrics(config.metricsPort, metrics.registry, {
    cert: await tls('tls.crt'),
    key: await tls('tls.key'),
  }),
]
const election = new LeaseElection({
  client,
  lease: { namespace: config.namespace, name: 'palisade-operator' },
  identity: config.identity,
  log,
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
// At once when the lease is lost: passes that are under way may rest on what another replica has changed.
process.exit(ended === 'lost' ? 1 : 0)
