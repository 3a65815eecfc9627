import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseLogCheckpoint } from '../../core/audit/log-checkpoint.ts'
import { treeRoot } from '../../core/audit/merkle.ts'
import { openNote, signNote } from '../../core/audit/note.ts'
import { systemClock } from '../../core/clock.ts'
import { cutAndRegrow } from '../../test/support/cut-tail.ts'
import { copyDatabase } from '../../test/support/database-copy.ts'
import { noteSigner } from '../../test/support/note-signer.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { auditRow, caller, writeWish } from '../../test/support/store-wishes.ts'
import { unconfirmed } from '../../test/support/unconfirmed.ts'
import { PostgresStore } from '../store/postgres-store.ts'
import { fileSink } from './file-checkpoints.ts'
import { SealerMetrics } from './metrics.ts'
import { assertNotBehind } from './outside.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'
import { purge } from './purge.ts'
import { sealBatch } from './seal-batch.ts'
import { Sealer } from './sealer.ts'

const LOG = 'palisade.dev/audit/test'
const quiet = { info() {}, warn() {}, error() {} }

function memorySink(): CheckpointSink & { note: string | undefined } {
  return {
    name: 'memory',
    note: undefined,
    async newest() {
      return this.note
    },
    async publish(note) {
      this.note = note
      return true
    },
  }
}

let server: PalisadeDatabase
let db: PalisadeDatabase
let cases = 0
let store: PostgresStore
const { signer, verifier } = noteSigner(LOG)
const options = { log: LOG, signers: [signer], limit: 2_000 }
const tenants = [randomUUID(), randomUUID(), randomUUID()]

beforeAll(async () => {
  server = await startPalisadeDatabase()
})
// A database for each case: the log of one must not be the beginning of the next.
beforeEach(async () => {
  db = await copyDatabase(server, `case_${(cases += 1)}`)
  store = new PostgresStore({ ...db.app, max: 30 })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((end) => end()))
  await store.close()
})
afterAll(() => server?.stop())
const folders: string[] = []
/** A sealer that a failed case left behind would look for its database for as long as the file runs. */
const running: (() => Promise<void>)[] = []
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))))

const write = (count: number, tenant = tenants[0] ?? '') =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const row = auditRow(tenant)
      await store.appendAudit(null, row)
      return row
    }),
  )

const seal = (limit = 2_000, lock = true) =>
  withClient(db.sealer, (client) => sealBatch(client, { ...options, limit }, lock))

interface SealRow {
  readonly seq: string
  readonly record_id: string
  readonly tenant_id: string
  readonly tenant_seq: string
  readonly leaf: Buffer
}
const seals = () => db.query<SealRow>('select * from palisade.audit_seals order by epoch, seq')

/** The whole log holds together: no gap, no double, each record once, roots and checkpoints true. */
async function expectWholeLog(records: number): Promise<void> {
  const rows = await seals()
  expect(rows.map((row) => Number(row.seq))).toEqual(rows.map((_, i) => i + 1))
  expect(new Set(rows.map((row) => row.record_id)).size).toBe(records)
  for (const tenant of new Set(rows.map((row) => row.tenant_id))) {
    const own = rows.filter((row) => row.tenant_id === tenant)
    expect(own.map((row) => Number(row.tenant_seq))).toEqual(own.map((_, i) => i + 1))
  }
  const batches = await db.query<{ last: string; root: Buffer; checkpoint: string }>(
    'select last, root, checkpoint from palisade.audit_batches order by last',
  )
  for (const batch of batches) {
    const root = treeRoot(rows.slice(0, Number(batch.last)).map((row) => row.leaf))
    expect(batch.root.equals(root)).toBe(true)
    const opened = openNote(batch.checkpoint, [verifier])
    expect(parseLogCheckpoint(opened?.text ?? '')).toMatchObject({
      log: LOG,
      epoch: 1,
      size: Number(batch.last),
    })
  }
}

describe('sealBatch', () => {
  it('seals nothing when nothing is pending', async () => {
    expect(await seal()).toBeUndefined()
    expect(await seals()).toEqual([])
  })

  it('seals what three tenants wrote, numbered for all and for each, and empties the queue', async () => {
    for (const tenant of tenants) await write(5, tenant)
    expect((await seal(10))?.count).toBe(10)
    expect((await seal(10))?.count).toBe(5)
    await expectWholeLog(15)
    expect(await db.query('select 1 from palisade.audit_pending')).toEqual([])
  })

  it('takes a record that was begun before others and committed after they were sealed', async () => {
    const slow = new pg.Client(db.app)
    await slow.connect()
    const late = auditRow(tenants[0] ?? '')
    await slow.query('begin')
    await slow.query('select palisade.append_audit($1, null, $2, 1::smallint, $3, $4, $5, $6)', [
      ...[late.tenantId, late.id, late.writer, late.keyId, late.bytes, late.mac],
    ])
    await write(3)
    await seal()
    await slow.query('commit')
    await slow.end()
    await seal()
    await expectWholeLog(4)
    expect((await seals()).at(-1)?.record_id).toBe(late.id)
  })

  it('keeps the order of what was committed within one millisecond', async () => {
    const [first, second] = await write(2)
    for (const [row, since] of [
      [second, '2026-01-01T00:00:00.000123Z'],
      [first, '2026-01-01T00:00:00.000122Z'],
    ] as const) {
      await db.query('update palisade.audit_pending set since = $2 where record_id = $1', [
        ...[row?.id, since],
      ])
    }
    await seal()
    expect((await seals()).map((seal) => seal.record_id)).toEqual([first?.id, second?.id])
  })

  it('fails for the second of two sealers that saw the same head, and forks nothing', async () => {
    await write(4)
    const [a, b] = [new pg.Client(db.sealer), new pg.Client(db.sealer)]
    await Promise.all([a.connect(), b.connect()])
    // Both without the lock: what holds is the keys.
    const take = (client: pg.Client) => sealBatch(client, { ...options, limit: 2 }, false)
    const results = []
    for (let round = 0; round < 10; round += 1) {
      results.push(...(await Promise.allSettled([take(a), take(b)])))
      await write(2)
    }
    await Promise.all([a.end(), b.end()])
    while (await seal()) continue
    await expectWholeLog(24)
    const refused = results.filter((result) => result.status === 'rejected')
    for (const { reason } of refused) {
      expect((reason as { code?: string }).code).toMatch(/^(23505|40P01)$/)
    }
  })

  it('lets the keys refuse a batch that goes on from a head that is no longer the last one', async () => {
    await write(1)
    await seal()
    await write(1)
    const stale = `insert into palisade.audit_batches
      (epoch, first, last, root, prev_root, frontier, numbering_frontier, counter, checkpoint)
      select epoch, first, last + 5, root, prev_root, frontier, numbering_frontier, counter, checkpoint
      from palisade.audit_batches`
    await withClient(db.sealer, async (client) => {
      await expect(client.query(stale)).rejects.toMatchObject({ code: '23505' })
    })
  })

  it('waits for nobody while another sealer holds the lock', async () => {
    await write(1)
    await withClient(db.sealer, async (holder) => {
      await holder.query('begin')
      await holder.query('select pg_advisory_xact_lock(7203114502)')
      expect(await seal()).toBeUndefined()
    })
    expect((await seal())?.count).toBe(1)
  })

  it('builds nothing on a head that no sealer has written', async () => {
    await write(1)
    await seal()
    await withClient(db.superuser, async (client) => {
      await client.query('alter table palisade.audit_batches disable trigger only_grows')
      await client.query(`update palisade.audit_batches set frontier = array['\\x00'::bytea]`)
    })
    await write(1)
    await expect(seal()).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    expect(await seals()).toHaveLength(1)
  })

  it('leaves everything pending when the signature cannot be had', async () => {
    await write(3)
    const broken = { ...signer, sign: () => Promise.reject(new Error('sealed')) }
    await withClient(db.sealer, async (client) => {
      await expect(sealBatch(client, { ...options, signers: [broken] })).rejects.toThrow('sealed')
    })
    expect(await db.query('select 1 from palisade.audit_pending')).toHaveLength(3)
    await seal()
    await expectWholeLog(3)
  })

  it('loses nothing and doubles nothing when its session is killed between taking and committing', async () => {
    await write(6)
    const client = new pg.Client(db.sealer)
    client.on('error', () => undefined)
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const killed = {
      ...signer,
      sign: async (text: Uint8Array) => {
        await db.query('select pg_terminate_backend($1)', [rows[0]?.pid])
        return signer.sign(text)
      },
    }
    await expect(sealBatch(client, { ...options, signers: [killed] })).rejects.toThrow()
    expect(await seals()).toEqual([])
    await seal()
    await expectWholeLog(6)
  })
})

describe('assertNotBehind', () => {
  const check = (sink: CheckpointSink, key: CheckpointSigner = signer) =>
    withClient(db.sealer, (client) => assertNotBehind(client, [sink], [key]))

  it('accepts a place that remembers nothing, the newest checkpoint or an older one', async () => {
    const sink = memorySink()
    await check(sink)
    await write(2)
    sink.note = (await seal())?.checkpoint
    await check(sink)
    await write(2)
    await seal()
    await check(sink)
  })

  it('refuses a database that has fewer records than the place remembers', async () => {
    const sink = memorySink()
    await write(2)
    sink.note = (await seal())?.checkpoint
    await emptyLog()
    await expect(check(sink)).rejects.toMatchObject({ code: 'ERR_AUDIT_BEHIND_CHECKPOINT' })
  })

  it('refuses a log that does not go through the remembered checkpoint', async () => {
    const sink = memorySink()
    await write(2)
    sink.note = (await seal())?.checkpoint
    await emptyLog()
    await write(2)
    await seal()
    await expect(check(sink)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
  })

  it('refuses a checkpoint that another key signed, and accepts one of an earlier key', async () => {
    const sink = memorySink()
    await write(1)
    sink.note = (await seal())?.checkpoint
    const next = noteSigner(LOG).signer
    await expect(check(sink, next)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    await check(sink, { ...next, earlier: [signer] })
  })

  it('refuses what a key of this log signed and is no checkpoint', async () => {
    const sink = { ...memorySink(), note: await signNote('hello\n', [signer]) }
    await expect(check(sink)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
  })
})

/** What an administrator of the database can do and no role of ours can. */
async function emptyLog(): Promise<void> {
  await withClient(db.superuser, async (client) => {
    for (const table of ['audit_seals', 'audit_batches']) {
      await client.query(`alter table palisade.${table} disable trigger only_grows`)
      await client.query(`delete from palisade.${table}`)
      await client.query(`alter table palisade.${table} enable always trigger only_grows`)
    }
  })
}

function startSealer(sinks: readonly CheckpointSink[]) {
  const stop = new AbortController()
  const metrics = new SealerMetrics()
  const sealer = new Sealer({
    database: async () => db.sealer,
    log: LOG,
    signers: [signer],
    sinks,
    metrics,
    logger: quiet,
    clock: systemClock,
    timing: { idleMs: 10, publishEveryMs: 50 },
  })
  const done = sealer.run(stop.signal)
  const end = async () => {
    stop.abort()
    await done
  }
  running.push(end)
  return { sealer, metrics, end }
}

describe('Sealer', () => {
  const start = startSealer
  const pending = async () => (await db.query('select 1 from palisade.audit_pending')).length

  it('keeps up with three writers of 100 records each, side by side with a second sealer', async () => {
    const [one, two] = [start([]), start([])]
    await Promise.all(tenants.map((tenant) => write(100, tenant)))
    await expect.poll(pending).toBe(0)
    await Promise.all([one.end(), two.end()])
    await expectWholeLog(300)
  })

  it('goes on by itself after its sessions were ended, with nothing lost or doubled', async () => {
    const sealer = start([])
    const writing = write(60)
    for (let kill = 0; kill < 5; kill += 1) {
      await db.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'palisade_sealer_a'`,
      )
      await write(5)
    }
    await writing
    await expect.poll(pending, { timeout: 20_000 }).toBe(0)
    await sealer.end()
    await expectWholeLog(85)
  })

  it('writes the newest checkpoint outside, at the latest when it stops', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-checkpoint-'))
    folders.push(folder)
    const sink = fileSink(join(folder, 'state', 'checkpoint'))
    const sealer = start([sink])
    await write(7)
    await expect.poll(pending).toBe(0)
    await sealer.end()
    const opened = openNote((await sink.newest()) ?? '', [verifier])
    expect(parseLogCheckpoint(opened?.text ?? '').size).toBe(7)
  })

  it('tells of a place that remembers nothing of a log that has records, and of none that began with it', async () => {
    const emptied = async ({ metrics }: ReturnType<typeof start>) =>
      (await metrics.emptyPlace.get()).values[0]?.value
    const sink = memorySink()
    const first = start([sink])
    await expect.poll(() => first.sealer.ready().ok).toBe(true)
    await write(1)
    await expect.poll(() => sink.note).toMatch(/\/epoch-1\n1\n/)
    await first.end()
    expect(await emptied(first)).toBe(0)
    sink.note = undefined
    const second = start([sink])
    await expect.poll(() => emptied(second)).toBeGreaterThan(0)
    await expect.poll(() => sink.note).toMatch(/\/epoch-1\n1\n/)
    await second.end()
  })

  it('takes out at its start what a crash after the commit kept inside', async () => {
    await write(2)
    const checkpoint = (await seal())?.checkpoint
    const sink = memorySink()
    const sealer = start([sink])
    await expect.poll(() => sink.note).toBe(checkpoint)
    await sealer.end()
  })

  it('publishes nothing whose commit the standby did not confirm', async () => {
    const sink = memorySink()
    const sealer = start([sink])
    await expect.poll(() => sealer.sealer.ready().ok).toBe(true)
    await unconfirmed(db, async () => {
      const local = new PostgresStore({ ...db.app, options: '-c synchronous_commit=local' })
      await local.appendAudit(null, auditRow(tenants[0] ?? ''))
      await local.close()
      const cancelled = `select pg_cancel_backend(pid) as done from pg_stat_activity
        where wait_event = 'SyncRep' and usename = 'palisade_sealer_a'`
      // Once the batch itself, then the look of the next connection, which finds the batch in the database.
      for (let wait = 0; wait < 2; wait += 1) {
        await expect.poll(() => db.query(cancelled)).toHaveLength(1)
      }
      expect((await seals()).length).toBe(1)
      expect(sink.note).toBeUndefined()
    })
    await expect.poll(() => sink.note).toMatch(/\/epoch-1\n1\n/)
    await sealer.end()
  })

  it('stops, says so and appends nothing while the database is behind what is outside', async () => {
    const sink = memorySink()
    await write(3)
    sink.note = (await seal())?.checkpoint
    await emptyLog()
    await write(1)
    const sealer = start([sink])
    await expect.poll(() => sealer.sealer.ready().reason).toMatch(/ERR_AUDIT_BEHIND_CHECKPOINT/)
    expect(await seals()).toEqual([])
    expect((await sealer.metrics.halted.get()).values[0]?.value).toBe(1)
    await sealer.end()
  })

  it('stops when an older database is put under it while it runs', async () => {
    const sink = memorySink()
    const sealer = start([sink])
    await write(3)
    await expect.poll(() => sink.note).toMatch(/\/epoch-1\n3\n/)
    // Nothing is pending, so the next look at the log is that of the next connection.
    await emptyLog()
    await db.query(
      `select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = 'palisade_sealer_a'`,
    )
    await write(1)
    const fate = async () =>
      (await seals()).length > 0 ? 'sealed on' : sealer.sealer.ready().reason
    await expect.poll(fate).toMatch(/ERR_|sealed on/)
    expect(await fate()).toMatch(/ERR_AUDIT_BEHIND_CHECKPOINT/)
    await sealer.end()
  })

  it('signs no second history when the tail is cut under it and grows again', async () => {
    const sink = memorySink()
    const sealer = start([sink])
    for (const size of [3, 6]) {
      await write(3)
      await expect.poll(() => sink.note).toContain(`/epoch-1\n${size}\n`)
    }
    const outside = sink.note
    await cutAndRegrow(db.superuser, 3)
    const fate = async () =>
      (await seals()).length > 3 ? 'sealed on' : sealer.sealer.ready().reason
    await expect.poll(fate).toMatch(/ERR_|sealed on/)
    // The next connection, some seconds later, finds the log behind what is outside.
    expect(await fate()).toMatch(/ERR_AUDIT_(TAMPERED|BEHIND_CHECKPOINT)/)
    await sealer.end()
    expect(sink.note).toBe(outside)
    expect(await seals()).toHaveLength(3)
  })

  it('knows by itself what it sealed and no place has heard of yet', async () => {
    const sink = { ...memorySink(), publish: () => Promise.reject(new Error('away')) }
    const sealer = start([sink])
    await write(3)
    await expect.poll(pending).toBe(0)
    await emptyLog()
    await db.query(
      `select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = 'palisade_sealer_a'`,
    )
    await write(1)
    const fate = async () =>
      (await seals()).length > 0 ? 'sealed on' : sealer.sealer.ready().reason
    await expect.poll(fate).toMatch(/ERR_|sealed on/)
    expect(await fate()).toMatch(/ERR_AUDIT_BEHIND_CHECKPOINT/)
    await sealer.end()
  })

  it('stops while it runs when the place outside holds what is no checkpoint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-sealer-'))
    folders.push(folder)
    const path = join(folder, 'checkpoint.note')
    const sealer = start([fileSink(path)])
    await write(1)
    await expect.poll(() => fileSink(path).newest()).toMatch(/\/epoch-1\n1\n/)
    await writeFile(path, 'hello')
    await write(1)
    await expect.poll(() => sealer.sealer.ready().reason).toMatch(/ERR_AUDIT_TAMPERED/)
    expect((await sealer.metrics.halted.get()).values[0]?.value).toBe(1)
    await sealer.end()
    expect(await fileSink(path).newest()).toBe('hello')
  })
})

describe('purge', () => {
  const tenant = '00000000-0000-0000-0000-000000000001'
  const addKeys = (count: number, age: string) =>
    db.query(
      `insert into palisade.idempotency_keys (tenant_id, subject, key_digest, request_digest, answer, created_at)
       select $1, 's', sha256(($2 || n)::bytea), sha256('r'), '{"secretId":"x"}', now() - $2::interval
       from generate_series(1, $3) as n`,
      [tenant, age, count],
    )
  const addCounters = (count: number, age: string, recordId: string | null) =>
    db.query(
      `insert into palisade.audit_counters
         (minute, reason, route, source_digest, writer, refusals, first_seen, last_seen, record_id)
       select now() - $1::interval, 'r', '/', sha256(n::text::bytea), $2, 1, now(), now(), $3
       from generate_series(1, $4) as n`,
      [age, `${age}${recordId}`, recordId, count],
    )
  const left = async (table: string) => (await db.query(`select 1 from palisade.${table}`)).length

  it('takes keys of more than 25 hours, a batch at a time, and leaves the others', async () => {
    await addKeys(7, '25 hours 1 minute')
    await addKeys(3, '24 hours 30 minutes')
    await withClient(db.sealer, async (client) => {
      expect(await purge(client, 5)).toMatchObject({ idempotencyKeys: 5, isMore: true })
      expect(await purge(client, 5)).toMatchObject({ idempotencyKeys: 2, isMore: false })
    })
    expect(await left('idempotency_keys')).toBe(3)
  })

  it('takes counters that have their record and a day, and no other', async () => {
    await addCounters(2, '25 hours', randomUUID())
    await addCounters(3, '25 hours', null)
    await addCounters(4, '23 hours', randomUUID())
    await withClient(db.sealer, async (client) => {
      expect(await purge(client)).toMatchObject({ refusalCounters: 2 })
    })
    expect(await left('audit_counters')).toBe(7)
  })

  it('is all that the sealer can do there, whose caller it may call itself', async () => {
    await addKeys(2, '25 hours 1 minute')
    await addKeys(3, '1 hour')
    await withClient(db.sealer, async (client) => {
      for (const text of [
        'select answer from palisade.idempotency_keys',
        'select refusals from palisade.audit_counters',
        'update palisade.idempotency_keys set created_at = now()',
      ]) {
        await expect(client.query(text), text).rejects.toMatchObject({ code: '42501' })
      }
      await client.query(`select set_config('palisade.caller', $1, false)`, [`${tenant}/s`])
      await client.query('delete from palisade.idempotency_keys')
    })
    expect(await left('idempotency_keys')).toBe(3)
  })

  it('keeps nobody waiting who wants another key', async () => {
    await addKeys(5, '25 hours 1 minute')
    const user = caller()
    await store.ensureUser(user)
    await withClient(db.sealer, async (client) => {
      await client.query('begin')
      await purge(client)
      const idempotency = { key: 'meanwhile', requestDigest: Buffer.alloc(32, 1) }
      const outcome = await store.writeSecret(user, writeWish(user, { idempotency }))
      expect(outcome.kind).toBe('written')
      await client.query('commit')
    })
  })

  it('is done by the sealer by itself, and counted', async () => {
    await addKeys(1_200, '25 hours 1 minute')
    const sealer = startSealer([])
    await expect.poll(() => left('idempotency_keys')).toBe(0)
    await sealer.end()
    const text = await sealer.metrics.registry.getSingleMetricAsString('palisade_purged_rows_total')
    expect(text).toContain('{table="idempotency_keys"} 1200')
  })
})
