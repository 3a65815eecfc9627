import { writeSync } from 'node:fs'
import { systemClock } from '../../core/clock.ts'
import { VaultClient } from '../../gateway/keys/vault-client.ts'
import { VaultTransitWrapper } from '../../gateway/keys/vault-transit-wrapper.ts'
import type { BaoAccount } from './bao-accounts.ts'
import { startGateway } from './gateway.ts'
import type { PalisadeDatabase } from './postgres.ts'

export interface ReplicaWorld {
  readonly app: PalisadeDatabase['app']
  /** Of the key files, which all replicas share. */
  readonly directory: string
  readonly port: number
  /** Room of the database's volume. */
  readonly capacityBytes?: number
  /** Wraps data keys; the key file does when nothing is said. */
  readonly vault?: BaoAccount
}

/** One of several gateways, in a process of its own. Its log is its standard output. */
const world = JSON.parse(process.env['REPLICA_WORLD'] ?? '{}') as ReplicaWorld
const vault = world.vault && new VaultClient(world.vault.address, world.vault.ca, systemClock)
const gateway = await startGateway(world, {
  directory: world.directory,
  capacityBytes: world.capacityBytes ?? 0,
  // Clients of a test say from where they come.
  trustedProxies: ['127.0.0.0/8'],
  onLine: (line) => void writeSync(1, line),
  ...(vault ? { wrapper: new VaultTransitWrapper(vault) } : {}),
})
const second = setInterval(() => void gateway.refusals.flush(), 1_000)
const measuring = setInterval(() => void gateway.volume.measure(), 200)
process.once('SIGTERM', () => {
  ;[second, measuring].forEach(clearInterval)
  void gateway.app
    .close()
    .then(() => gateway.refusals.close())
    .then(() => gateway.store.close())
    .then(() => vault?.close())
    .then(() => process.exit(0))
})
await gateway.app.listen({ host: '127.0.0.1', port: world.port })
