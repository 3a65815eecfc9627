import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { AuditClient } from '../support/audit-client.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { until } from '../support/child.ts'
import type { Mortal } from '../support/mortal.ts'
import { startOpenBao, type TestOpenBao } from '../support/openbao.ts'

/** The server ends a batch that is held open so long; 20 s in production. */
const HELD_BATCH_MS = 3_000
const PATIENCE_MS = 30_000

// Processes start many times over here, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 240_000 })

let bao: TestOpenBao
let world: AuditWorld
let client: AuditClient

beforeAll(async () => {
  bao = await startOpenBao()
  world = await AuditWorld.start({
    replicas: 1,
    sealers: 2,
    store: bao,
    sealerSession: { idle_in_transaction_session_timeout: HELD_BATCH_MS },
  })
  const [who] = await world.people(1)
  if (!who) throw new Error('nobody is there')
  client = new AuditClient(world, who)
})
afterAll(async () => {
  await client?.close()
  await world?.stop()
  await bao?.stop()
})
/** Whatever stood in the way: all is sealed by itself, and nothing is missing or doubled. */
afterEach(async () => {
  for (const each of world.sealers) each.signal('SIGCONT')
  await world.sealed(PATIENCE_MS)
  const { findings, doesNotProve } = await world.verify()
  expect(findings).toEqual([])
  expect(doesNotProve).toEqual([])
})

const sealer = (index: 0 | 1): Mortal => {
  const found = world.sealers[index]
  if (!found) throw new Error(`there is no sealer ${index}`)
  return found
}

async function metric(of: Mortal, series: string): Promise<number> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const text = await (await fetch(`http://127.0.0.1:${of.port}/metrics`, { signal })).text()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.split(' ')[1] ?? Number.NaN)
}

const isStopped = async ({ pid }: Mortal) => / T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))

async function unsealed(): Promise<number> {
  const [row] = await world.db.query<{ left: string }>(
    'select count(*) as left from palisade.audit_pending',
  )
  return Number(row?.left)
}

const LAG = 'palisade_audit_seal_lag_seconds'

const expectLag = (of: Mortal) =>
  until('the lag to be told', PATIENCE_MS, async () => {
    return (await metric(of, LAG)) > 1 && (await metric(of, 'palisade_audit_unsealed_rows')) > 0
  })

describe('sealers that are stopped', () => {
  it('keep no write waiting and seal what was written when they run again', async () => {
    for (const each of world.sealers) each.signal('SIGSTOP')
    for (let i = 0; i < 20; i += 1) await client.write(`stopped-${i}`, 'v')
    expect(await unsealed()).toBeGreaterThanOrEqual(20)
    for (const each of world.sealers) each.signal('SIGCONT')
  })

  it('in the middle of a batch hold it against the other one until the server ends their session, which that one tells', async () => {
    sealer(0).signal('SIGUSR2')
    await until('a sealer to stop in its batch', PATIENCE_MS, async () => {
      await client.write(`held-${randomUUID()}`, 'v')
      return isStopped(sealer(0))
    })
    await client.write('behind-the-batch', 'v')
    await expectLag(sealer(1))
    await world.sealed(PATIENCE_MS)
    // It looks at what is left once more, and tells it then.
    await until('no lag to be told', PATIENCE_MS, async () => (await metric(sealer(1), LAG)) < 1)
    // The one that wakes up holds a batch whose session is gone.
    sealer(0).signal('SIGCONT')
    await client.write('after-it-woke', 'v')
  })
})

describe('a secret store that is sealed', () => {
  it('leaves what was read before readable, answers 503 to the rest, and holds the log until it is there again', async () => {
    await client.write('read-before', 'known')
    expect(await client.read('read-before')).toBe('known')
    await client.write('never-read', 'unknown')
    await world.sealed(PATIENCE_MS)
    await bao.seal()
    try {
      expect(await client.read('read-before')).toBe('known')
      const refused = [
        await client.ask('GET', 'never-read'),
        await client.ask('PUT', 'read-before', 'new', randomUUID()),
      ]
      for (const { status, body } of refused) {
        expect([status, body.code]).toEqual([503, 'ERR_KEYS_UNAVAILABLE'])
        expect(body).not.toHaveProperty('value')
      }
      await Promise.all(world.sealers.map(expectLag))
      expect(await unsealed()).toBeGreaterThan(0)
    } finally {
      await bao.unseal()
    }
    expect(await client.read('never-read')).toBe('unknown')
    await client.write('read-before', 'new')
    expect(await client.read('read-before')).toBe('new')
  })
})
