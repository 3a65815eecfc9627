import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { Agent, request } from 'undici'
import { systemClock } from '../../core/clock.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { Sealer } from '../../gateway/sealer/sealer.ts'
import { vaultSink } from '../../gateway/sealer/vault-checkpoints.ts'

export interface SealerWorld {
  readonly database: pg.ClientConfig
  readonly vault: { readonly address: string; readonly ca: string; readonly token: string }
  readonly log: string
  /** Ed25519, PEM. */
  readonly key: string
  /** Stops itself (SIGSTOP) before it writes a checkpoint of this size outside. */
  readonly stopAt: number
}

/** A sealer in a process of its own, since only a process can be stopped in the middle of what it does. */
const world = JSON.parse(process.env['SEALER_WORLD'] ?? '{}') as SealerWorld
const agent = new Agent({ connect: { ca: world.vault.ca } })
let stopped = false

async function call(method: string, path: string, body?: object) {
  const text = JSON.stringify(body)
  if (method === 'POST' && !stopped && sizeIn(text) === world.stopAt) {
    stopped = true
    process.kill(process.pid, 'SIGSTOP')
    await pause(1)
  }
  const answer = await request(`${world.vault.address}/v1/${path}`, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { 'x-vault-token': world.vault.token, 'content-type': 'application/json' },
    ...(body ? { body: text } : {}),
  })
  return {
    status: answer.statusCode,
    body: (await answer.body.json()) as Record<string, unknown>,
  }
}

/** The second line of a checkpoint. */
const sizeIn = (text: string) => Number(/\/epoch-1\\n(\d+)\\n/.exec(text)?.[1])

const key = createPrivateKey(world.key)
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await new Sealer({
  database: async () => world.database,
  log: world.log,
  signers: [{ name: world.log, publicKey, sign: async (text) => sign(null, text, key) }],
  sinks: [vaultSink({ call })],
  metrics: new SealerMetrics(),
  logger: { info() {}, warn() {}, error() {} },
  clock: systemClock,
  timing: { idleMs: 10, publishEveryMs: 50 },
}).run(stop.signal)
await agent.close()
