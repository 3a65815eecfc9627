import { createPrivateKey } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { Agent, request } from 'undici'
import { keySigner } from '../../core/audit/note.ts'
import { systemClock } from '../../core/clock.ts'
import { VaultClient } from '../../gateway/keys/vault-client.ts'
import { makeLog } from '../../gateway/observe/log.ts'
import { fileSink } from '../../gateway/sealer/file-checkpoints.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { operations } from '../../gateway/sealer/operations.ts'
import { Sealer, type SealerTiming } from '../../gateway/sealer/sealer.ts'
import type { CheckpointSigner } from '../../gateway/sealer/ports.ts'
import { vaultSigner, vaultSink } from '../../gateway/sealer/vault-checkpoints.ts'
import type { BaoAccount } from './bao-accounts.ts'

export interface SealerWorld {
  readonly database: pg.ClientConfig
  /** Remembers checkpoints. */
  readonly vault?: { readonly address: string; readonly ca: string; readonly token: string }
  /** Remembers checkpoints as well, or instead. */
  readonly checkpointFile?: string
  readonly log: string
  /** Ed25519, PEM. */
  readonly key: string
  /** Signs in the key's place and remembers checkpoints, as in a cluster. */
  readonly store?: BaoAccount
  /** Stops itself (SIGSTOP) before it writes a checkpoint of this size outside. */
  readonly stopAt?: number
  /** Of metrics and probes, without TLS. */
  readonly port?: number
  readonly timing?: Partial<SealerTiming>
}

/** A sealer in a process of its own, since only a process can be stopped or killed in the middle of what it does. */
const world = JSON.parse(process.env['SEALER_WORLD'] ?? '{}') as SealerWorld
const { vault, checkpointFile, port } = world
const agent = vault && new Agent({ connect: { ca: vault.ca } })
let stopped = false

async function call(method: string, path: string, body?: object) {
  const text = JSON.stringify(body)
  if (method === 'POST' && !stopped && sizeIn(text) === world.stopAt) {
    stopped = true
    process.kill(process.pid, 'SIGSTOP')
    await pause(1)
  }
  const answer = await request(`${vault?.address}/v1/${path}`, {
    method: method as 'GET',
    ...(agent ? { dispatcher: agent } : {}),
    headers: { 'x-vault-token': vault?.token ?? '', 'content-type': 'application/json' },
    ...(body ? { body: text } : {}),
  })
  return {
    status: answer.statusCode,
    body: (await answer.body.json()) as Record<string, unknown>,
  }
}

/** The second line of a checkpoint. */
const sizeIn = (text: string) => Number(/\/epoch-1\\n(\d+)\\n/.exec(text)?.[1])

/** SIGUSR2: stops itself (SIGSTOP) in its next batch, which it holds open meanwhile. */
let stopInBatch = false
process.on('SIGUSR2', () => (stopInBatch = true))

function watched(signer: CheckpointSigner): CheckpointSigner {
  return {
    ...signer,
    async sign(text) {
      if (stopInBatch) {
        stopInBatch = false
        process.kill(process.pid, 'SIGSTOP')
        await pause(1)
      }
      return signer.sign(text)
    },
  }
}

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const metrics = new SealerMetrics()
const logger = makeLog({ level: 'info', service: 'sealer' })
const store = world.store && new VaultClient(world.store.address, world.store.ca, systemClock)
const signer = store
  ? await vaultSigner(store, world.log)
  : keySigner(world.log, createPrivateKey(world.key))
const sealer = new Sealer({
  database: async () => world.database,
  log: world.log,
  signers: [watched(signer)],
  sinks: [
    ...(store ? [vaultSink(store)] : []),
    ...(vault ? [vaultSink({ call })] : []),
    ...(checkpointFile ? [fileSink(checkpointFile)] : []),
  ],
  metrics,
  logger,
  evidence: logger,
  clock: systemClock,
  timing: { idleMs: 10, publishEveryMs: 50, ...world.timing },
})
const server = createServer(operations(metrics.registry, () => sealer.ready()))
if (port !== undefined) server.listen(port, '127.0.0.1')
await sealer.run(stop.signal)
server.close()
server.closeAllConnections()
await Promise.all([agent?.close(), store?.close()])
