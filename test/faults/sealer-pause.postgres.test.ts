import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { learnKeys } from '#core/audit/key-chain'
import { systemClock } from '#core/clock'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { Sealer } from '../../gateway/sealer/sealer.ts'
import { vaultSigner, vaultSink } from '../../gateway/sealer/vault-checkpoints.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { until } from '../support/child.ts'
import { noteSigner } from '../support/note-signer.ts'
import { startOpenBao, type TestOpenBao } from '../support/openbao.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../support/postgres.ts'
import type { SealerWorld } from '../support/sealer-process.ts'
import { auditRow, MAC_KEY } from '../support/store-wishes.ts'

const LOG = 'palisade.dev/audit/pause'
const PLACE = 'platform/data/audit/checkpoint'
const { signer, verifier, pem } = noteSigner(LOG)
const children: ChildProcess[] = []

let db: PalisadeDatabase
let bao: TestOpenBao
let store: PostgresStore

beforeAll(async () => {
  ;[db, bao] = await Promise.all([startPalisadeDatabase(), startOpenBao()])
  store = new PostgresStore(db.app)
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await store?.close()
  await Promise.all([db?.stop(), bao?.stop()])
})

async function write(count: number): Promise<void> {
  const tenant = randomUUID()
  for (let i = 0; i < count; i += 1) await store.appendAudit(null, auditRow(tenant))
}

const sizeOf = (note: string) => Number(note.split('\n')[1])

/** Sizes of all checkpoints that ever lay in Vault, oldest first. */
async function remembered(): Promise<number[]> {
  const sizes: number[] = []
  for (let version = 1; ; version += 1) {
    const { status, body } = await bao.ask('GET', `${PLACE}?version=${version}`)
    if (status !== 200) return sizes
    sizes.push(sizeOf((body['data'] as { data: { note: string } }).data.note))
  }
}

async function startProcess(stopAt: number): Promise<ChildProcess> {
  const { body } = await bao.ask('POST', 'auth/token/create', {})
  const { client_token: token } = body['auth'] as { client_token: string }
  const world: SealerWorld = {
    database: db.sealer,
    vault: { address: bao.address, ca: bao.ca, token },
    log: LOG,
    key: pem,
    stopAt,
  }
  const file = join(import.meta.dirname, '../support/sealer-process.ts')
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, SEALER_WORLD: JSON.stringify(world) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

/** Runs until `condition` holds, as the replica that took over. */
async function sealUntil(condition: () => Promise<boolean>): Promise<void> {
  const stop = new AbortController()
  const sealer = new Sealer({
    database: async () => db.sealer,
    log: LOG,
    signers: [signer],
    sinks: [vaultSink({ call: (method, path, body) => bao.ask(method, path, body) })],
    metrics: new SealerMetrics(),
    logger: { info() {}, warn() {}, error() {} },
    clock: systemClock,
    timing: { idleMs: 10, publishEveryMs: 50 },
  })
  const ended = sealer.run(stop.signal)
  try {
    await until('the second sealer', 20_000, condition)
  } finally {
    stop.abort()
    await ended
  }
}

const isStopped = async (child: ChildProcess) =>
  / T /.test(await readFile(`/proc/${child.pid}/stat`, 'utf8'))

describe('a sealer that was stopped before it wrote a checkpoint outside', () => {
  it('does not put it back over the newer one of the sealer that took over', async () => {
    await write(3)
    const slept = await startProcess(3)
    await until('the first sealer to stop', 20_000, () => isStopped(slept))
    expect(await remembered()).toEqual([])
    await write(4)
    await sealUntil(async () => (await remembered()).at(-1) === 7)
    slept.kill('SIGCONT')
    // What it still has in its hand it offers once more at the end.
    slept.kill('SIGTERM')
    await once(slept, 'exit')
    const sizes = await remembered()
    expect(sizes.at(-1)).toBe(7)
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
  })
})

describe('a key of checkpoints that is rotated in Vault while the sealer runs', () => {
  it('hands over to the newer version, by a checkpoint that both have signed', async () => {
    const readSigners = async () => {
      const newest = await vaultSigner({ call: (...call) => bao.ask(...call) }, LOG)
      return [{ ...newest, earlier: [signer, ...(newest.earlier ?? [])] }]
    }
    const learned = async () => {
      const rows = await db.query<{ checkpoint: string }>(
        'select checkpoint from palisade.audit_batches',
      )
      const notes = rows.map(({ checkpoint }) => checkpoint)
      return learnKeys(notes, [verifier]).length
    }
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const ended = new Sealer({
      database: async () => db.sealer,
      ...{ log: LOG, signers: await readSigners(), readSigners, sinks: [] },
      records: { clock: systemClock, macKey: async () => MAC_KEY },
      metrics: new SealerMetrics(),
      logger: { info() {}, warn() {}, error() {} },
      clock: systemClock,
      timing: { idleMs: 10, keysEveryMs: 20 },
    }).run(stop.signal)
    await until('the first version', 20_000, async () => (await learned()) === 2)
    await bao.ask('POST', 'transit/keys/audit-checkpoint/rotate', {})
    await until('the second version', 20_000, async () => (await learned()) === 3)
    stop.abort()
    await ended
  })
})
