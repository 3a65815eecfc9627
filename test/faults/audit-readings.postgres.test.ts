import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLATFORM_TENANT, type AuditEvent } from '../../api/audit-event.ts'
import type { AuditPage } from '../../api/rest/audit.ts'
import { COMMANDS } from '../../cli/commands.ts'
import { dispatch } from '../../cli/dispatch.ts'
import { PalisadeError } from '../../core/problem.ts'
import { exportRecords } from '../../gateway/store/audit-events.ts'
import { noteReading } from '../../gateway/store/audit-reading.ts'
import { sealBatch } from '../../gateway/sealer/seal-batch.ts'
import { idRangeOf } from '../../gateway/services/audit-filter.ts'
import { keyDirectory, person, startGateway, type TestGateway } from '../support/gateway.ts'
import { formsOf } from '../support/needles.ts'
import { noteSigner } from '../support/note-signer.ts'
import { startPalisadeDatabase, withClient, type PalisadeDatabase } from '../support/postgres.ts'
import { auditRow } from '../support/store-wishes.ts'

/** Who reads the log past the gateway is recorded, or is shown nothing. */

const TENANT = randomUUID()
/** Of this machine, and where nothing else in this test comes from. */
const ADDRESS = '127.77.3.9'
const GATED = [
  'secret_audit_logs',
  'audit_pending',
  'audit_seals',
  'audit_batches',
  'audit_counters',
] as const
const NOT_NOTED = { code: 'PL050' }

let db: PalisadeDatabase
let directory: Awaited<ReturnType<typeof keyDirectory>>
let folder: string
let gateway: TestGateway
let other: TestGateway
const auditor = person()
const rows = Array.from({ length: 5 }, () => auditRow(TENANT)).sort((a, b) =>
  a.id < b.id ? -1 : 1,
)

beforeAll(async () => {
  ;[db, directory, folder] = await Promise.all([
    startPalisadeDatabase({ accessRules: ['host all all 127.0.0.0/8 trust'] }),
    keyDirectory(),
    mkdtemp(join(tmpdir(), 'palisade-readings-')),
  ])
  gateway = await startGateway(db, { directory: directory.path, level: 'trace' })
  other = await startGateway(db, { directory: directory.path })
  for (const row of rows) await gateway.store.appendAudit(null, row)
  const { signer } = noteSigner('palisade.dev/audit/readings')
  const some = { log: signer.name, signers: [signer], limit: 2 }
  await withClient(db.sealer, (client) => sealBatch(client, some))
  await db.query(`insert into palisade.audit_counters
      (minute, reason, route, source_digest, writer, refusals, first_seen, last_seen)
    values (now(), 'r', '/', '', 'w', 1, now(), now())`)
  const { id: userId, tenantId } = auditor
  await gateway.store.ensureUser({ userId, tenantId, role: 'auditor' })
  const { user, password, host, port, database } = db.auditor
  process.env['PALISADE_DATABASE_URL'] =
    `postgresql://${user}:${String(password)}@${host}:${port}/${database}`
})
afterAll(async () => {
  delete process.env['PALISADE_DATABASE_URL']
  await Promise.all([gateway?.stop(), other?.stop()])
  await Promise.all([db?.stop(), directory?.remove()])
  if (folder) await rm(folder, { recursive: true, force: true })
})

const NOTE = `select palisade.note_reading('query') as id`
const READ = 'select id from palisade.secret_audit_logs order by id'

const asAuditor = <T>(use: (client: pg.Client) => Promise<T>) => withClient(db.auditor, use)
const audit = (...args: string[]) => dispatch(COMMANDS, ['audit', ...args], () => undefined)

async function waiting(): Promise<string[]> {
  const found = await db.query<{ id: string }>(
    'select id from palisade.audit_readings where record_id is null order by noted_at',
  )
  return found.map(({ id }) => id)
}

async function recorded(): Promise<AuditEvent[]> {
  const found = await db.query<{ text: string }>(
    `select convert_from(record, 'UTF8') as text from palisade.secret_audit_logs order by id`,
  )
  return found
    .map(({ text }) => JSON.parse(text) as AuditEvent)
    .filter(({ eventType }) => eventType === 'audit.read')
}

/** What was recorded of exactly what happens in `use`. */
async function recordsOf(use: () => Promise<unknown>): Promise<AuditEvent[]> {
  await gateway.readings.record()
  const before = (await recorded()).length
  await use()
  await gateway.readings.record()
  return (await recorded()).slice(before)
}

describe('a member of palisade_auditor', () => {
  it.each(GATED)(
    'is shown nothing of %s, and told why, before a reading is noted',
    async (table) => {
      await asAuditor(async (client) => {
        const text = `select 1 from palisade.${pg.escapeIdentifier(table)}`
        await expect(client.query(text)).rejects.toMatchObject(NOT_NOTED)
        await expect(client.query(`copy (${text}) to stdout`)).rejects.toMatchObject(NOT_NOTED)
        await client.query(NOTE)
        expect((await client.query(text)).rowCount).toBeGreaterThan(0)
      })
    },
  )

  it('is shown nothing under a note that can still be rolled back, or was', async () => {
    const before = await waiting()
    await asAuditor(async (client) => {
      for (const way of [NOTE, `savepoint a; ${NOTE}; release savepoint a`]) {
        await client.query('begin')
        await client.query(way)
        await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
        await client.query('rollback')
        await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
      }
    })
    expect(await waiting()).toEqual(before)
  })

  it('is shown nothing under the note of another login, or when the hour of its own is over', async () => {
    const theirs = await withClient(db.superuser, async (client) => {
      await client.query('set role palisade_auditor')
      return (await client.query<{ id: string }>(NOTE)).rows[0]?.id ?? ''
    })
    await asAuditor(async (client) => {
      await client.query(`select set_config('palisade.reading', $1, false)`, [theirs])
      await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
      const { rows: own } = await client.query<{ id: string }>(NOTE)
      expect((await client.query(READ)).rowCount).toBeGreaterThan(0)
      await db.query('update palisade.audit_readings set open_until = now() where id = $1', [
        own[0]?.id,
      ])
      await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
    })
  })

  it('is shown nothing under the note that another session of its own login made', async () => {
    await asAuditor(async (noting) => {
      const { rows: made } = await noting.query<{ id: string }>(NOTE)
      await asAuditor(async (client) => {
        await client.query(`select set_config('palisade.reading', $1, false)`, [made[0]?.id])
        await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
      })
    })
  })

  it('reads one picture of the log that it began in time to its end, and begins no other', async () => {
    await asAuditor(async (client) => {
      const { rows: own } = await client.query<{ id: string }>(NOTE)
      await db.query(
        `update palisade.audit_readings set open_until = clock_timestamp() + interval '3 s' where id = $1`,
        [own[0]?.id],
      )
      await client.query('begin isolation level repeatable read read only')
      const all = await client.query(READ)
      await client.query('select pg_sleep(3.1)')
      expect((await client.query(READ)).rows).toEqual(all.rows)
      await client.query('commit')
      await client.query('begin isolation level repeatable read read only')
      await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
    })
  })

  it('cannot note more than gateways can record, so that nobody else’s note waits for long', async () => {
    const before = await waiting()
    const flood = `select count(palisade.note_reading('query')) from generate_series(1, 1001)`
    await expect(asAuditor((client) => client.query(flood))).rejects.toMatchObject({
      code: 'PL052',
    })
    expect(await waiting()).toEqual(before)
  })

  it('is shown the records between the bounds of the note and no others', async () => {
    const [first, , , , last] = rows
    await asAuditor(async (client) => {
      await client.query(`select palisade.note_reading('export', 'ocsf', $1, $2)`, [
        first?.id,
        last?.id,
      ])
      const { rows: seen } = await client.query<{ id: string }>(READ)
      expect(seen.map(({ id }) => id)).toEqual(rows.slice(1, 4).map(({ id }) => id))
    })
  })

  it('has no way to the notes themselves', async () => {
    for (const text of [
      'select 1 from palisade.audit_readings',
      'delete from palisade.audit_readings',
      `insert into palisade.audit_readings (login, purpose) values ('x', 'query')`,
      `select palisade.record_reading(gen_random_uuid(), gen_random_uuid(), 1::smallint, 'w', 'k', '', '')`,
      'select 1 from palisade.unrecorded_readings(1)',
    ]) {
      const asked = asAuditor((client) => client.query(text))
      await expect(asked, text).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('has a name that fits into a record, or reads nothing', async () => {
    await db.query('create role "jane doe" login in role palisade_auditor')
    const asked = withClient(db.as('jane doe'), (client) =>
      noteReading(client, { purpose: 'export' }),
    )
    await expect(asked).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })

  it.each(['palisade_migrator', 'test_cutter'])(
    'is %s as well, who only acts as one',
    async (name) => {
      await db.query(
        `do $$ begin create role test_cutter login in role palisade_retention; exception when duplicate_object then end $$`,
      )
      await withClient(db.as(name), async (client) => {
        await client.query('set role palisade_auditor')
        await expect(client.query(READ)).rejects.toMatchObject(NOT_NOTED)
      })
    },
  )
})

describe('a reading past the gateway', () => {
  it('is a record of the platform that names the login, what was read, and when', async () => {
    const began = Date.now()
    const from = new Date(began - 60_000).toISOString()
    const records = await recordsOf(async () => {
      await audit('export', join(folder, 'log.jsonl'))
      await audit('export', join(folder, 'events.cef'), '--format', 'cef', '--from', from)
      await audit('archive', join(folder, 'archive'), '--until', '1')
      await audit('verify', '--database')
    })
    expect(records.map(({ details }) => [details?.['purpose'], details?.['format']])).toEqual([
      ['export', 'jsonl'],
      ['export', 'cef'],
      ['archive', undefined],
      ['verify', undefined],
    ])
    expect(records.map(({ details }) => details?.['from'])).toEqual([
      undefined,
      from,
      undefined,
      undefined,
    ])
    for (const record of records) {
      expect(record).toMatchObject({
        tenant: PLATFORM_TENANT,
        outcome: 'success',
        actor: { kind: 'administrator', id: 'test_auditor' },
        subject: { kind: 'log', id: 'all' },
        personal: [{ key: `tenant-${PLATFORM_TENANT}`, fields: ['address'] }],
      })
      const [at, until] = ['at', 'until'].map((name) => Date.parse(String(record.details?.[name])))
      expect(at).toBeGreaterThanOrEqual(began - 1_000)
      expect((until ?? 0) - (at ?? 0)).toBeGreaterThanOrEqual(3_599_000)
    }
  })

  it('has its record after a crash of the database between the two, once', async () => {
    await gateway.readings.record()
    const before = (await recorded()).length
    await audit('export', join(folder, 'crash.jsonl'))
    await db.kill()
    await gateway.readings.record()
    // The alert of this number wakes somebody, and a database that is away for a moment is no reason.
    expect(await gateway.metrics.registry.metrics()).toContain(
      'palisade_audit_write_failures_total 0',
    )
    await db.revive()
    expect(await waiting()).toHaveLength(1)
    await gateway.readings.record()
    await gateway.readings.record()
    expect((await recorded()).length - before).toBe(1)
    expect(await waiting()).toEqual([])
  })

  it('has one record however many gateways are at it', async () => {
    const records = await recordsOf(async () => {
      await asAuditor(async (client) => {
        for (let i = 0; i < 20; i += 1) await client.query(NOTE)
      })
      const noted = await waiting()
      await Promise.all([gateway, other].map(({ readings }) => readings.record()))
      expect(noted).toHaveLength(20)
    })
    const requests = records.map(({ request }) => request.id)
    expect([requests.length, new Set(requests).size]).toEqual([20, 20])
    const lines = [...gateway.lines, ...other.lines].filter((line) => line.includes('"audit"'))
    const told = records.map(({ id }) => lines.filter((line) => line.includes(id)).length)
    expect(told).toEqual(records.map(() => 1))
  })

  it('waits while nothing can be encrypted, and its reader is not forgotten', async () => {
    const away = async () => {
      throw new PalisadeError('ERR_KEYS_UNAVAILABLE', 'no answer')
    }
    const wrapper = { ensureKey: away, wrap: away, unwrap: away, ready: away }
    const broken = await startGateway(db, { directory: directory.path, wrapper })
    const records = await recordsOf(async () => {
      await asAuditor((client) => client.query(NOTE))
      await broken.readings.record()
      expect(await waiting()).toHaveLength(1)
      expect(await broken.metrics.registry.metrics()).toContain(
        'palisade_audit_write_failures_total 1',
      )
    })
    await broken.stop()
    expect(records).toHaveLength(1)
  })

  it('leaves its address in ciphertext alone, by which an auditor finds it', async () => {
    const stream = () => {
      const socket = new Socket()
      const connect = socket.connect.bind(socket)
      const from = (port: number, host: string) => connect({ port, host, localAddress: ADDRESS })
      return Object.assign(socket, { connect: from as unknown as Socket['connect'] })
    }
    const records = await recordsOf(() =>
      withClient({ ...db.auditor, stream }, async (client) => {
        const range = idRangeOf({})
        for await (const _ of exportRecords(client, range, { purpose: 'export', format: 'ocsf' }));
      }),
    )
    expect(records).toHaveLength(1)
    const query = { tenant: 'all', address: ADDRESS }
    const answer = await gateway.ask(auditor, 'POST', '/api/v1/audit/search', {
      body: query,
      role: 'auditor',
    })
    expect(answer.json<AuditPage>().items).toMatchObject([
      { id: records[0]?.id, personal: [{ state: 'readable', address: ADDRESS }] },
    ])
    const tables = await db.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
       where schemaname like 'palisade%'`,
    )
    const dumps = await Promise.all(
      tables.map(({ name }) => db.query<{ text: string }>(`select t::text as text from ${name} t`)),
    )
    const sinks = [...gateway.lines, ...other.lines, ...dumps.flat().map(({ text }) => text)]
    const all = sinks.join('\n')
    for (const form of formsOf(ADDRESS)) expect(all.includes(form), form).toBe(false)
  })

  it('is kept as a note for a day after its record, and no longer', async () => {
    await db.query(`update palisade.audit_readings set open_until = now() - interval '25 hours'`)
    const kept = await waiting()
    await asAuditor((client) => client.query(NOTE))
    expect(kept).toEqual([])
    await gateway.readings.record()
    const left = await db.query('select 1 from palisade.audit_readings')
    expect(left).toHaveLength(1)
  })
})
