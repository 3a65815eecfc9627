import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#core/clock'
import { createGatewayAudit } from './adapters/audit-gateway.ts'
import { createDatabases } from './adapters/databases.ts'
import { createRefusedLogins } from './adapters/refused-logins.ts'
import { createServerLogs, ownAddresses } from './adapters/kubernetes-server-logs.ts'
import { createConsumers } from './adapters/kubernetes-consumers.ts'
import {
  createBackends,
  createRotationObjects,
  createSecrets,
} from './adapters/kubernetes-objects.ts'
import { VaultClient } from './adapters/vault-client.ts'
import { VaultKv } from './adapters/vault-kv.ts'
import { createKeptLogins } from './adapters/kept-logins.ts'
import { createStateStore, createValueStore } from './adapters/vault-stores.ts'
import type { Config } from './config.ts'
import { createFailpoint, noFailpoint } from './failpoints.ts'
import { everyNowAndThen } from './login-turns.ts'
import type { Deps } from './ports.ts'
import { createRotationMetrics } from './rotation-metrics.ts'
import { createApiClient, type ApiClient } from './runtime/api-client.ts'
import { endpointInCluster } from './runtime/endpoint.ts'
import { createEventRecorder } from './runtime/events.ts'
import { endpointOf } from './runtime/kubeconfig.ts'
import { createMetrics, type RuntimeMetrics } from './runtime/metrics.ts'
import type { Logger } from './runtime/types.ts'
import { OutboxDeliveries } from './secret-rotation/audit-deliveries.ts'
import { refusalByBackend } from './secret-rotation/eligibility.ts'
import { Turns } from './secret-rotation/turns.ts'

export interface Composition {
  readonly client: ApiClient
  readonly deps: Deps
  readonly metrics: RuntimeMetrics
  readonly vault: VaultClient
  /**
   * Tells nobody any more, and takes leave of the databases. Other connections end with the process: to destroy one on
   * which a request is under way is an error that nobody is there to hear.
   */
  readonly leave: () => Promise<void>
  /** The same for a process that goes on: every connection is ended. */
  readonly close: () => Promise<void>
}

/** Every port with the adapter behind it; opens connections, starts nothing. */
export async function compose(
  config: Config,
  log: Logger,
  isLeader: () => boolean,
): Promise<Composition> {
  const client = createApiClient(
    config.kubeconfig === undefined
      ? await endpointInCluster(config.apiServer)
      : await endpointOf(config.kubeconfig),
  )
  const ca = await readFile(join(config.tlsDir, 'ca.crt'), 'utf8')
  const vault = new VaultClient({ ...config.vault, ca })
  const databases = createDatabases(config.tlsDir, createKeptLogins(vault))
  const metrics = createMetrics()
  const audit = config.gateway && createGatewayAudit({ ...config.gateway, ca })
  const deliveries = audit && new OutboxDeliveries({ sink: audit, log })
  const deps: Deps = {
    cluster: config.cluster,
    rotations: createRotationObjects(client),
    backends: createBackends(client),
    states: createStateStore(new VaultKv(vault, 'palisade-state'), config.cluster),
    values: createValueStore(new VaultKv(vault, 'apps')),
    databaseOf: (backend) => databases.of(backend),
    refusedLogins: createRefusedLogins(createServerLogs(client), ownAddresses),
    eligibility: { refusal: refusalByBackend },
    secrets: createSecrets(client),
    consumers: createConsumers(client),
    audit,
    deliveries,
    events: createEventRecorder({
      client,
      controller: 'palisade.dev/operator',
      instance: config.identity,
      log,
    }),
    metrics: createRotationMetrics(metrics.registry),
    turns: new Turns(() => systemClock.now().getTime()),
    clock: systemClock,
    log,
    failpoint: config.failpoint ? createFailpoint(config.failpoint) : noFailpoint,
    timing: { pollMs: config.pollMs, resyncMs: config.resyncMs },
    isLeader,
    shouldTryLogin: everyNowAndThen(config.resyncMs),
  }
  const leave = async (): Promise<void> => {
    deliveries?.stop()
    await databases.close()
  }
  const close = async (): Promise<void> => {
    await Promise.all([leave(), client.close(), vault.close()])
  }
  return { client, deps, metrics, vault, leave, close }
}
