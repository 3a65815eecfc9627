import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#core/clock'
import { noteSigner } from '../../test/support/note-signer.ts'
import { startObjectStore, type TestObjectStore } from '../../test/support/object-store.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { signedCheckpoint } from '../../test/support/signed-checkpoint.ts'
import { auditRow } from '../../test/support/store-wishes.ts'
import { PostgresStore } from '../store/postgres-store.ts'
import { fileSink } from './file-checkpoints.ts'
import { SealerMetrics } from './metrics.ts'
import { keptKey, newestKey, objectStoreSink } from './object-checkpoints.ts'
import { positionOf } from './progress.ts'
import { Sealer } from './sealer.ts'

const LOG = 'palisade.dev/audit/objects'
const { signer } = noteSigner(LOG)

let folder: string
let db: PalisadeDatabase
let store: PostgresStore
let objects: TestObjectStore
let places = 0

/** The first start on a machine compiles the server. */
const HOOK_MS = 600_000

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-objects-'))
  ;[db, objects] = await Promise.all([startPalisadeDatabase(), startObjectStore()])
  store = new PostgresStore(db.app)
}, HOOK_MS)
/** A sealer that a failed case left behind would go on sealing for other places. */
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((end) => end()))
})
afterAll(async () => {
  await store?.close()
  await Promise.all([db?.stop(), objects?.stop()])
  await rm(folder, { recursive: true, force: true })
})

/** Two places of their own, so that no case meets what another one left. */
function newPlaces() {
  const prefix = `case-${(places += 1)}/`
  const sink = objectStoreSink(objects.client({ prefix }), LOG)
  return {
    prefix,
    file: fileSink(join(folder, `${places}.note`)),
    object: { ...sink, everyMs: 50 },
  }
}
type Places = ReturnType<typeof newPlaces>

function start({ file, object }: Places) {
  const stop = new AbortController()
  const metrics = new SealerMetrics()
  const lines: unknown[] = []
  const note = (keys: object, sentence: string) => lines.push({ ...keys, sentence })
  const logger = { info: note, warn: note, error: note }
  const sealer = new Sealer({
    ...{ database: async () => db.sealer, log: LOG, signers: [signer], sinks: [file, object] },
    ...{ metrics, logger, evidence: logger, clock: systemClock },
    timing: { idleMs: 10, publishEveryMs: 50 },
  })
  const done = sealer.run(stop.signal)
  const end = async () => {
    stop.abort()
    await done
  }
  running.push(end)
  return { sealer, metrics, lines, end }
}

async function write(count: number): Promise<void> {
  const tenant = randomUUID()
  for (let i = 0; i < count; i += 1) await store.appendAudit(null, auditRow(tenant))
}

const SLOW = { timeout: 30_000 }
const pending = async () => (await db.query('select 1 from palisade.audit_pending')).length
const sealed = async () => (await db.query('select 1 from palisade.audit_seals')).length
const sizeAt = async (place: { newest(): Promise<string | undefined> }) => {
  const note = await place.newest()
  return note === undefined ? 0 : positionOf(note).size
}
const failuresOf = async ({ checkpointFailures }: SealerMetrics, sink: string) =>
  (await checkpointFailures.get()).values.find(({ labels }) => labels.sink === sink)?.value ?? 0

/** Sealed, and known at the file, while the other place does not answer. */
async function goesOnWithoutObjects({ file }: Places): Promise<void> {
  await write(5)
  await expect.poll(pending, SLOW).toBe(0)
  await expect.poll(async () => (await sizeAt(file)) === (await sealed()), SLOW).toBe(true)
}

async function expectCaughtUp({ object, prefix }: Places): Promise<void> {
  await expect.poll(async () => (await sizeAt(object)) === (await sealed()), SLOW).toBe(true)
  const own = (await objects.objects()).filter(({ key }) => key.startsWith(prefix))
  const newest = own.find(({ key }) => key === `${prefix}${newestKey(LOG)}`)?.text
  // What lies under the newest key is kept under its own as well, and is the largest.
  expect(own.filter(({ key }) => !key.endsWith('newest.note')).at(-1)?.text).toBe(newest)
}

describe('a sealer with a place beside the database and an object store outside', () => {
  it('goes on while the object store is killed, and brings it up to date when it is back', async () => {
    const two = newPlaces()
    const run = start(two)
    await write(3)
    await expect.poll(() => sizeAt(two.object), SLOW).toBe(3)
    await objects.kill()
    await goesOnWithoutObjects(two)
    await expect.poll(() => failuresOf(run.metrics, 'object-store'), SLOW).toBeGreaterThan(0)
    expect(await failuresOf(run.metrics, 'file')).toBe(0)
    await objects.revive()
    await expectCaughtUp(two)
    await run.end()
    expect(JSON.stringify(run.lines)).not.toContain(objects.secretAccessKey)
  })

  it('goes on while the object store hangs, and brings it up to date when it answers', async () => {
    const two = newPlaces()
    const run = start(two)
    await write(1)
    await expectCaughtUp(two)
    objects.freeze()
    try {
      await goesOnWithoutObjects(two)
      expect(run.sealer.ready().ok).toBe(true)
    } finally {
      objects.thaw()
    }
    await expectCaughtUp(two)
    await run.end()
  })

  it('starts without the object store when the other place confirms the log, and compares it later', async () => {
    const two = newPlaces()
    const first = start(two)
    await write(1)
    await expectCaughtUp(two)
    await first.end()
    await objects.kill()
    const second = start(two)
    await goesOnWithoutObjects(two)
    await objects.revive()
    await expectCaughtUp(two)
    await second.end()
  })

  it('seals nothing while the object store is away and the other place remembers nothing', async () => {
    const two = newPlaces()
    const before = await sealed()
    await objects.kill()
    const run = start(two)
    await write(1)
    const unconfirmed = async () => {
      const { values } = await run.metrics.failures.get()
      return values.some(({ labels }) => labels.reason === 'ERR_AUDIT_UNCONFIRMED')
    }
    await expect.poll(unconfirmed, SLOW).toBe(true)
    expect(await sealed()).toBe(before)
    expect(await two.file.newest()).toBeUndefined()
    await objects.revive()
    await expectCaughtUp(two)
    await run.end()
  })

  it('halts where the object store keeps another history of the same size, and takes nothing there', async () => {
    const two = newPlaces()
    const run = start(two)
    await write(1)
    await expectCaughtUp(two)
    const newest = await two.object.newest()
    const size = positionOf(newest ?? '').size + 1
    const other = await signedCheckpoint(signer, { size })
    await objects.client({ prefix: two.prefix }).put(keptKey(LOG, 1, size), other, 'absent')
    await write(1)
    await expect.poll(() => run.sealer.ready().reason, SLOW).toMatch(/ERR_AUDIT_TAMPERED/)
    await run.end()
    const text = await objects.client({ prefix: two.prefix }).get(newestKey(LOG))
    expect(text?.text).toBe(newest)
  })

  it('halts at a log that was cut and grew again behind the back of the object store', async () => {
    const two = newPlaces()
    const run = start(two)
    await write(2)
    await expectCaughtUp(two)
    await run.end()
    const newest = await two.object.newest()
    // The administrator cuts the log, has the place within reach agree with it and the other one out of the way.
    await emptyLog()
    await objects.kill()
    const agreeing = { ...two, file: fileSink(join(folder, 'agreeing.note')) }
    await write(1)
    await sealAlone(agreeing.file)
    const later = start(agreeing)
    await write(positionOf(newest ?? '').size + 1)
    await expect.poll(pending, SLOW).toBe(0)
    await objects.revive()
    await expect.poll(() => later.sealer.ready().reason, SLOW).toMatch(/ERR_AUDIT_TAMPERED/)
    await later.end()
    expect(await two.object.newest()).toBe(newest)
  })

  it('halts when one place is behind and the other one ahead', async () => {
    const two = newPlaces()
    const run = start(two)
    await write(2)
    await expectCaughtUp(two)
    await run.end()
    await emptyLog()
    const behind = { ...two, file: fileSink(join(folder, 'behind.note')) }
    await write(1)
    await sealAlone(behind.file)
    const halted = start(behind)
    await expect
      .poll(() => halted.sealer.ready().reason, SLOW)
      .toMatch(/ERR_AUDIT_BEHIND_CHECKPOINT/)
    await halted.end()
  })
})

/** With one place alone, as somebody who holds the key would run it. */
async function sealAlone(file: Places['file']): Promise<void> {
  const stop = new AbortController()
  const quiet = { info() {}, warn() {}, error() {} }
  const done = new Sealer({
    ...{ database: async () => db.sealer, log: LOG, signers: [signer], sinks: [file] },
    ...{ metrics: new SealerMetrics(), logger: quiet, clock: systemClock },
    timing: { idleMs: 10, publishEveryMs: 50 },
  }).run(stop.signal)
  await expect.poll(() => sizeAt(file), SLOW).toBeGreaterThan(0)
  stop.abort()
  await done
}

async function emptyLog(): Promise<void> {
  await withClient(db.superuser, async (client) => {
    for (const table of ['audit_seals', 'audit_batches']) {
      await client.query(`alter table palisade.${table} disable trigger only_grows`)
      await client.query(`delete from palisade.${table}`)
      await client.query(`alter table palisade.${table} enable always trigger only_grows`)
    }
  })
}
