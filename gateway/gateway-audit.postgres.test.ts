import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { PLATFORM_TENANT, type AuditEvent } from '#api/audit-event'
import type { AuditPage, AuditQuery, FoundRecord } from '#api/rest/audit'
import { collect, type AuditLog, type LogLine } from '#core/audit/export'
import { proveRecords, proveTenant } from '#core/audit/proof'
import { verifyLog } from '#core/audit/verify'
import { verifyProof } from '#core/audit/verify-proof'
import { exportLine } from '#core/siem/line'
import { ErasableKeys } from '../test/support/erasable-keys.ts'
import { keyDirectory, person, startGateway, type TestGateway } from '../test/support/gateway.ts'
import { formsOf } from '../test/support/needles.ts'
import { nestedPlans } from '../test/support/nested-plans.ts'
import { noteSigner } from '../test/support/note-signer.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../test/support/postgres.ts'
import { auditRow } from '../test/support/store-wishes.ts'
import type { Role } from './identity/roles.ts'
import { idRangeOf } from './services/audit-filter.ts'
import { sealBatch } from './sealer/seal-batch.ts'
import { exportRecords } from './store/audit-events.ts'
import { exportLog } from './store/audit-export.ts'

const LOG = 'palisade.dev/audit/search'
const { signer, verifier } = noteSigner(LOG)
const keys = new ErasableKeys()
const alice = person()
const bob = person()
const auditor = person()
/** Nobody's real ones, each found nowhere but as ciphertext. */
const ADDRESS = '203.0.113.77'
const AGENT = 'canary-agent-7fc1d0'
const SECRETS = 7

/** An export leaves out the last minute: what a test has written it lets grow older than that. */
let ahead = 0
const clock = { now: () => new Date(Date.now() + ahead) }
const passAMinute = () => (ahead += 61_000)

let db: PalisadeDatabase
let directory: Awaited<ReturnType<typeof keyDirectory>>
let gateway: TestGateway

beforeAll(async () => {
  ;[db, directory] = await Promise.all([startPalisadeDatabase(), keyDirectory()])
  gateway = await startGateway(db, {
    directory: directory.path,
    wrapper: keys,
    trustedProxies: ['127.0.0.0/8'],
    level: 'trace',
    clock,
  })
  for (const [who, role] of [
    [alice, 'user'],
    [bob, 'user'],
    [auditor, 'auditor'],
  ] as const) {
    await gateway.store.ensureUser({ userId: who.id, tenantId: who.tenantId, role })
  }
  for (let i = 0; i < SECRETS; i += 1)
    await put(alice, `s-${i}`, i === 3 ? ADDRESS : '198.51.100.1')
  await put(bob, 'his', '2001:db8::7')
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([db?.stop(), directory?.remove()])
})

const put = (who: typeof alice, name: string, address: string) =>
  gateway.ask(who, 'PUT', `/api/secrets/${name}`, {
    body: { value: 'v' },
    headers: { 'x-forwarded-for': address, 'user-agent': AGENT },
  })

async function search(
  who: typeof alice,
  query: AuditQuery,
  role: Role = who === auditor ? 'auditor' : 'user',
): Promise<AuditPage> {
  const answer = await gateway.ask(who, 'POST', '/api/v1/audit/search', { body: query, role })
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<AuditPage>()
}

const refused = async (who: typeof alice, query: object, role: Role = 'user') =>
  (await gateway.ask(who, 'POST', '/api/v1/audit/search', { body: query, role })).json<unknown>()

/** All pages, as a client would follow them. */
async function all(who: typeof alice, query: AuditQuery): Promise<FoundRecord[]> {
  const items: FoundRecord[] = []
  let after: string | undefined
  for (let pages = 0; pages < 50; pages += 1) {
    const page = await search(who, { ...query, ...(after === undefined ? {} : { after }) })
    items.push(...page.items)
    after = page.next
    if (after === undefined) return items
  }
  throw new Error('there is always another page')
}

const eventsOf = (items: readonly FoundRecord[]) =>
  items.map(({ record }) => record).filter((record): record is AuditEvent => record !== null)

const WRITES: AuditQuery = { eventTypes: ['secret.write'], outcomes: ['success'] }

async function seal(): Promise<void> {
  await withClient(db.sealer, (client) =>
    sealBatch(client, { log: LOG, signers: [signer], limit: 1_000 }),
  )
}

/** Again and again, as the sealer does. @returns ends it */
function keepSealing(): () => Promise<void> {
  let isOver = false
  const running = (async () => {
    while (!isOver) {
      await seal().catch(() => undefined)
      await pause(50)
    }
  })()
  return async () => {
    isOver = true
    await running
  }
}

async function takeOut(): Promise<AuditLog> {
  const lines: LogLine[] = []
  await withClient(db.auditor, async (client) => {
    for await (const line of exportLog(client, new Date())) lines.push(line)
  })
  return collect(lines)
}

describe('POST /api/v1/audit/search', () => {
  it('finds the own records by actor, subject, request, type, outcome and time, in either order', async () => {
    const newest = eventsOf((await search(alice, WRITES)).items)
    expect(newest.map(({ details }) => details?.['name'])).toEqual(
      Array.from({ length: SECRETS }, (_, i) => `s-${SECRETS - 1 - i}`),
    )
    const oldest = eventsOf((await search(alice, { ...WRITES, order: 'oldest' })).items)
    expect(oldest).toEqual([...newest].reverse())
    const one = newest[2] as AuditEvent
    const { kind, id } = one.subject
    for (const query of [
      { subject: { kind, id } },
      { request: one.request.id },
      { ...WRITES, actor: alice.id, from: one.time, to: newest[1]?.time ?? '' },
    ]) {
      const found = eventsOf((await search(alice, query)).items)
      expect(
        found.map((record) => record.id),
        JSON.stringify(query),
      ).toContain(one.id)
      expect(found.length).toBeLessThan(SECRETS)
    }
    expect((await search(alice, { actor: bob.id })).items).toEqual([])
    expect((await search(alice, { ...WRITES, outcomes: ['failed'] })).items).toEqual([])
  })

  it.each(['newest', 'oldest'] as const)(
    'gives each record once over pages of two, %s first',
    async (order) => {
      const whole = (await search(alice, { ...WRITES, order })).items
      const paged = await all(alice, { ...WRITES, order, limit: 2 })
      expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id))
    },
  )

  it('looks at no more records than its bound and says where the next question goes on', async () => {
    const caller = {
      userId: alice.id,
      tenantId: alice.tenantId,
      roles: [],
      tokenVersion: 0,
      tokenId: 't',
    }
    const wish = {
      ...{ everywhere: false, tenant: null, actor: null, subject: null, request: null },
      ...{ eventTypes: ['user.erase'], outcomes: null, oldestFirst: false, page: 10, scan: 3 },
      ...{ after: '00000000-0000-0000-0000-000000000000' },
    }
    let before = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    let steps = 0
    for (let end: string | undefined = before; end !== undefined; steps += 1) {
      before = end
      const page = await gateway.store.searchAudit(caller, { ...wish, before })
      expect(page.rows).toEqual([])
      end = page.end
    }
    expect(steps).toBeGreaterThanOrEqual(Math.floor(SECRETS / 3))
  })

  // Row-level security stands before a condition on what a function reads out of a record: a policy that is not the
  // constant true, or another role, and a question reads all of a tenant again.
  it('goes along its index past 20,000 records of the tenant, as the role that runs it', async () => {
    const plans = await withClient(db.superuser, async (client) => {
      await client.query('begin')
      await client.query(
        `insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
         select gen_random_uuid(), $1, 1, 'w', 'k', convert_to('{"actor":{"id":"a-' || i || '"},"request":{"id":"r-' || i
           || '"},"subject":{"id":"s-' || i || '","kind":"secret"}}', 'UTF8'), sha256('')
         from generate_series(1, 20000) i`,
        [alice.tenantId],
      )
      await client.query('analyze palisade.secret_audit_logs')
      const taken: Record<string, string> = {}
      for (const [index, wanted] of [
        ['by_actor', ['a-77', null, null]],
        ['by_subject', [null, 'secret:s-77', null]],
        ['by_request', [null, null, 'r-77']],
      ] as const) {
        const found = await nestedPlans(client, async () => {
          const { rowCount } = await client.query(
            `select * from palisade.search_audit($1, $2, 0, false, null, $3, $4, $5, null, null,
               '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', false, 5, 5000)`,
            [alice.tenantId, alice.id, ...wanted],
          )
          expect(rowCount, index).toBe(1)
        })
        taken[index] = found.filter((plan) => plan.includes('CTE candidates')).join('\n')
      }
      await client.query('rollback')
      return taken
    })
    for (const [index, plan] of Object.entries(plans)) {
      expect(plan).toContain(`secret_audit_logs_${index} on secret_audit_logs`)
      expect(plan).toMatch(/Index Cond: .*(encode|audit_)/)
      expect(plan).not.toMatch(/Seq Scan on secret_audit_logs|Rows Removed by Filter/)
    }
  })

  it("lets nobody past the look at the caller's row", async () => {
    await expect(
      withClient(db.app, (client) =>
        client.query(
          `select * from palisade_lookup.find_audit_records(null, null, null, null, null, null,
             '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', false, 5, 5)`,
        ),
      ),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it("shows nobody another tenant's records but an auditor, and refuses with a record", async () => {
    const hers = await all(alice, {})
    expect(new Set(hers.map(({ tenant }) => tenant))).toEqual(new Set([alice.tenantId]))
    for (const tenant of ['all', bob.tenantId, PLATFORM_TENANT]) {
      for (const role of ['user', 'admin'] as const) {
        expect(await refused(alice, { tenant }, role)).toMatchObject({ code: 'ERR_FORBIDDEN' })
      }
    }
    expect(await refused(alice, {}, 'guest')).toMatchObject({ code: 'ERR_FORBIDDEN' })
    const refusals = await search(alice, { eventTypes: ['access.refused'] })
    expect(refusals.items.length).toBe(7)
    const everywhere = await all(auditor, { tenant: 'all', eventTypes: ['secret.write'] })
    expect(new Set(everywhere.map(({ tenant }) => tenant))).toEqual(
      new Set([alice.tenantId, bob.tenantId]),
    )
    for (const query of [{ actor: bob.id }, { tenant: bob.tenantId, actor: bob.id }]) {
      const his = await all(auditor, { tenant: 'all', ...WRITES, ...query })
      expect(his.map(({ tenant }) => tenant)).toEqual([bob.tenantId])
    }
  })

  it('asks the database who is an auditor today, whatever an older token says', async () => {
    expect(await refused(alice, { tenant: 'all' }, 'auditor')).toMatchObject({
      code: 'ERR_FORBIDDEN',
    })
    expect(await refused(alice, { tenant: bob.tenantId }, 'auditor')).toMatchObject({
      code: 'ERR_FORBIDDEN',
    })
  })

  it.each([[ADDRESS], ['203.0.113.0/24'], ['::ffff:203.0.113.77']])(
    'finds by address %s, which lies in the log as ciphertext alone',
    async (address) => {
      const found = await search(auditor, { tenant: 'all', ...WRITES, address })
      expect(eventsOf(found.items).map(({ details }) => details?.['name'])).toEqual(['s-3'])
      expect(found.items[0]?.personal).toMatchObject([
        { state: 'readable', address: ADDRESS, userAgent: AGENT },
      ])
    },
  )

  it('finds an IPv6 address however it is written, and refuses what is no address', async () => {
    const found = await search(auditor, { tenant: 'all', address: '2001:DB8:0:0::7', ...WRITES })
    expect(found.items.map(({ tenant }) => tenant)).toEqual([bob.tenantId])
    for (const address of ['1.2.3', '1.2.3.4/33', '::1/129', ':::']) {
      expect(await refused(alice, { address }), address).toMatchObject({ code: 'ERR_VALIDATION' })
    }
    expect(await refused(alice, { from: '2026-13-41T00:00:00Z' })).toMatchObject({
      code: 'ERR_VALIDATION',
    })
  })

  it("opens the caller's own fields, and of others nothing that is not for an auditor", async () => {
    const [mine] = (await search(alice, WRITES)).items
    expect(mine?.personal).toMatchObject([{ state: 'readable', userAgent: AGENT }])
    const guest = person()
    // In a team the records of one member lie in the tenant of all.
    await gateway.store.ensureUser({ userId: guest.id, tenantId: guest.tenantId })
    await db.query(
      `insert into palisade.tenant_members (tenant_id, user_id, role) values ($1, $2, 'member')`,
      [alice.tenantId, guest.id],
    )
    const member = { id: guest.id, tenantId: alice.tenantId }
    const [hers] = (await search(member, WRITES)).items
    expect(hers?.personal).toEqual([{ key: `user-${alice.id}`, state: 'withheld' }])
    expect((await search(member, { ...WRITES, address: ADDRESS })).items).toEqual([])
  })

  it('opens nothing of others for whoever was an auditor when the token was made', async () => {
    const former = person()
    await gateway.store.ensureUser({ userId: former.id, tenantId: former.tenantId })
    await db.query(
      `insert into palisade.tenant_members (tenant_id, user_id, role) values ($1, $2, 'member')`,
      [alice.tenantId, former.id],
    )
    const member = { id: former.id, tenantId: alice.tenantId }
    const [hers] = (await search(member, WRITES, 'auditor')).items
    expect(hers?.personal).toEqual([{ key: `user-${alice.id}`, state: 'withheld' }])
    const byAddress = { ...WRITES, address: ADDRESS }
    expect((await search(member, byAddress, 'auditor')).items).toEqual([])
  })

  it.each([
    ['everywhere is not said', [null, null]],
    ['everywhere is false and the tenant another', [false, 'theirs']],
    ['everywhere is true', [true, null]],
  ] as const)('is refused by the database to a user where %s', async (_, [everywhere, tenant]) => {
    const values = [alice.tenantId, alice.id, 0, everywhere, tenant && bob.tenantId]
    const question = `select * from palisade.search_audit($1, $2, $3, $4, $5, null, null, null, null, null,
      '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', false, 5, 5)`
    const asked = withClient(db.app, (client) => client.query(question, values))
    await expect(asked).rejects.toMatchObject({ code: 'PL012' })
  })

  it('is recorded with the names of the filters and the number found, and not with what was looked for', async () => {
    const { recordedAs, items } = await search(auditor, {
      tenant: 'all',
      ...WRITES,
      address: ADDRESS,
    })
    const [{ record } = { record: null }] = await all(auditor, {
      subject: { kind: 'log', id: 'all' },
      eventTypes: ['audit.search'],
    })
    expect(record).toMatchObject({
      id: recordedAs,
      actor: { kind: 'user', id: auditor.id },
      details: { filter: 'tenant,address,eventTypes,outcomes', records: items.length },
    })
    expect(JSON.stringify(record)).not.toContain(ADDRESS)
  })

  it('is named in answer and record by the same id, which no client chooses', async () => {
    const headers = { 'x-request-id': 'mine' }
    const read = await gateway.ask(alice, 'GET', '/api/secrets/s-1', { headers })
    expect(read.statusCode).toBe(200)
    const request = String(read.headers['x-request-id'])
    const found = eventsOf((await search(alice, { request })).items)
    expect(found).toMatchObject([{ eventType: 'secret.read', request: { id: request } }])
  })

  it('hands nothing out that it could not record', async () => {
    const append = gateway.store.appendAudit.bind(gateway.store)
    gateway.store.appendAudit = () => Promise.reject(new Error('no'))
    try {
      const answer = await refused(alice, WRITES)
      expect(answer).toMatchObject({ code: 'ERR_INTERNAL' })
      expect(answer).not.toHaveProperty('items')
    } finally {
      gateway.store.appendAudit = append
    }
  })

  it('says 503 and not "erased" while the secret store gives no answer', async () => {
    keys.away = true
    try {
      expect(await refused(alice, WRITES)).toMatchObject({ code: 'ERR_KEYS_UNAVAILABLE' })
    } finally {
      keys.away = false
    }
  })

  it('shows a record that somebody damaged as such', async () => {
    const row = { ...auditRow(bob.tenantId), bytes: Buffer.from('{"actor":\\xff"\n') }
    await gateway.store.appendAudit(null, row)
    const found = (await all(auditor, { tenant: bob.tenantId })).find(({ id }) => id === row.id)
    expect(found).toMatchObject({ record: null, personal: [] })
  })

  it('asks the secret store for no key whose name somebody wrote into a record', async () => {
    const envelope = { key: '../../sys/seal', wrappedKey: 'vault:v1:AAAAAAAAAAAA' }
    const whole = auditRow(bob.tenantId)
    const [event] = eventsOf((await search(bob, WRITES)).items)
    const written = { ...event, personal: [{ ...envelope, fields: ['address'] }] }
    const row = { ...whole, bytes: Buffer.from(JSON.stringify(written)) }
    await gateway.store.appendAudit(null, row)
    const asked = vi.spyOn(keys, 'unwrap')
    const [hit] = (await all(auditor, { tenant: bob.tenantId })).filter(({ id }) => id === row.id)
    expect(hit).toMatchObject({ record: written, personal: [] })
    expect(asked.mock.calls.map(([name]) => name)).not.toContain(envelope.key)
    asked.mockRestore()
  })

  it('tells the place of a sealed record, and of another that it has none yet', async () => {
    await seal()
    await put(alice, 'unsealed', '198.51.100.1')
    const [unsealed, sealed] = (await search(alice, WRITES)).items
    expect(unsealed?.place).toBeNull()
    const log = await takeOut()
    const line = log.seals.find(({ id }) => id === sealed?.id)
    expect(sealed?.place).toEqual({
      epoch: line?.epoch,
      seq: line?.seq,
      tenantSeq: line?.tenantSeq,
    })
  })
})

describe('POST /api/v1/audit/export', () => {
  const take = (query: object, who = auditor, role: Role = 'auditor') =>
    gateway.ask(who, 'POST', '/api/v1/audit/export', { body: query, role })

  it('leaves out what is so young that an earlier id may yet appear before it, and says from when', async () => {
    const query = { tenant: alice.tenantId, format: 'jsonl', order: 'oldest', ...WRITES }
    const idsOf = (text: string) =>
      text.split('\n').flatMap((line) => (line ? [(JSON.parse(line) as { id: string }).id] : []))
    const stopSealing = keepSealing()
    try {
      passAMinute()
      await put(alice, 'young', ADDRESS)
      const [young] = (await search(alice, WRITES)).items
      const first = await take(query)
      expect(first.statusCode, first.body).toBe(200)
      expect(idsOf(first.body).length).toBeGreaterThan(0)
      expect(idsOf(first.body)).not.toContain(young?.id)
      passAMinute()
      const from = String(first.headers['palisade-complete-until'])
      const second = await take({ ...query, from })
      const whole = eventsOf(await all(alice, { ...WRITES, order: 'oldest' })).map(({ id }) => id)
      expect([...idsOf(first.body), ...idsOf(second.body)]).toEqual(whole)
    } finally {
      await stopSealing()
    }
  })

  it('takes out each record once over pages, in each format, once its own record is sealed', async () => {
    passAMinute()
    const stopSealing = keepSealing()
    try {
      const ids: string[] = []
      let after: string | undefined
      do {
        const query = { tenant: alice.tenantId, ...WRITES, format: 'jsonl', limit: 3 }
        const answer = await take(after === undefined ? query : { ...query, after })
        expect(answer.statusCode, answer.body).toBe(200)
        const lines = answer.body.split('\n').filter((line) => line !== '')
        ids.push(...lines.map((line) => (JSON.parse(line) as { id: string }).id))
        const own = String(answer.headers['palisade-recorded-as'])
        const seals = await db.query('select 1 from palisade.audit_seals where record_id = $1', [
          own,
        ])
        expect(seals).toHaveLength(1)
        after = answer.headers['palisade-next'] as string | undefined
      } while (after !== undefined)
      const found = await all(auditor, { tenant: alice.tenantId, ...WRITES })
      expect(ids).toEqual(found.map(({ id }) => id))

      const ocsf = await take({ tenant: bob.tenantId, ...WRITES, format: 'ocsf' })
      expect(JSON.parse(ocsf.body.split('\n')[0] ?? '')).toMatchObject({ class_uid: 6003 })
      const cef = await take({ tenant: bob.tenantId, ...WRITES, format: 'cef' })
      expect(cef.body).toMatch(/^CEF:0\|Palisade\|Palisade\|1\|secret\.write\|/)
      for (const { body } of [ocsf, cef]) expect(body).not.toMatch(/ciphertext|wrappedKey/)
    } finally {
      await stopSealing()
    }
    const [{ record } = { record: null }] = await all(auditor, { eventTypes: ['audit.export'] })
    expect(record).toMatchObject({
      subject: { kind: 'log', id: bob.tenantId },
      details: { filter: 'tenant,eventTypes,outcomes', format: 'cef' },
    })
  })

  it('is had from the database as well, by its auditor, for a span of time, a damaged record included', async () => {
    const bytes = Buffer.from('no record')
    const row = { ...auditRow(bob.tenantId), bytes }
    await gateway.store.appendAudit(null, row)
    const taken = async (query: Pick<AuditQuery, 'from' | 'to'>) => {
      const lines: string[] = []
      await withClient(db.auditor, async (client) => {
        for await (const one of exportRecords(client, idRangeOf(query), {
          purpose: 'export',
        })) {
          lines.push(exportLine(one, 'cef'))
        }
      })
      return lines
    }
    const [count] = await db.query<{ n: number }>(
      'select count(*)::int as n from palisade.secret_audit_logs',
    )
    const lines = await taken({})
    expect(lines).toHaveLength(count?.n ?? 0)
    expect(lines.filter((line) => line.includes(row.id))).toEqual([
      expect.stringContaining('reason=ERR_AUDIT_TAMPERED'),
    ])
    const first = (await all(alice, { ...WRITES, order: 'oldest' })).at(0)?.record?.time ?? ''
    expect((await taken({ to: first })).every((line) => !line.includes('secret.write'))).toBe(true)
  })

  it('takes no address, and nothing of others for whoever is no auditor', async () => {
    const byAddress = await take({ format: 'cef', address: ADDRESS })
    expect(byAddress.json()).toMatchObject({ code: 'ERR_VALIDATION' })
    const foreign = await take({ format: 'cef', tenant: bob.tenantId }, alice, 'user')
    expect(foreign.json()).toMatchObject({ code: 'ERR_FORBIDDEN' })
  })
})

describe('personal fields', () => {
  it('are nowhere but in ciphertext: not in the log of the process, its metrics or any table', async () => {
    await put(alice, 'canary', ADDRESS)
    await search(auditor, { tenant: 'all', address: ADDRESS })
    const page = JSON.stringify([gateway.lines, await gateway.metrics.registry.metrics()])
    const tables = await db.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
       where schemaname like 'palisade%'`,
    )
    const dumps = await Promise.all(
      tables.map(async ({ name }) => {
        const rows = await db.query<{ text: string }>(`select t::text as text from ${name} t`)
        // A column of bytes is shown in hexadecimal; a record is text inside.
        return rows.map(({ text }) => text).join('\n')
      }),
    )
    const sinks = [page, db.log(), ...dumps].join('\n')
    expect(sinks).toContain(Buffer.from(`"user-${alice.id}"`).toString('hex'))
    for (const canary of [ADDRESS, AGENT]) {
      for (const form of formsOf(canary)) expect(sinks.includes(form), form).toBe(false)
    }
  })

  it('are told as erased when the key of the person is destroyed, and every proof holds as before', async () => {
    await put(alice, 'last', ADDRESS)
    await seal()
    const before = await takeOut()
    const [known] = (await search(auditor, { tenant: alice.tenantId, ...WRITES })).items
    const id = known?.id ?? ''
    expect(known?.personal).toMatchObject([{ state: 'readable' }])

    keys.destroy(`user-${alice.id}`)
    const verifiers = [verifier]
    const log = await takeOut()
    expect(log.records.slice(0, before.records.length)).toEqual(before.records)
    const evidence = { verifiers, checkpoints: [], witness: [], macKeys: new Map() }
    const { findings } = verifyLog(log, evidence)
    expect(findings).toEqual(verifyLog(before, evidence).findings)
    // What was damaged above names nobody, and nothing else is wrong.
    const damaged = log.records.filter(({ record }) => !String(record).includes('"eventType"'))
    const [forged] = log.records.filter(({ record }) => String(record).includes('sys/seal'))
    expect(findings.map(({ code }) => code)).toEqual(Array(3).fill('RecordMisfiled'))
    for (const { id: wrong } of [...damaged, ...(forged ? [forged] : [])]) {
      expect(findings.map(({ detail }) => detail).join()).toContain(wrong)
    }
    for (const proof of [proveRecords(log, [id]), proveTenant(log, alice.tenantId)]) {
      expect(verifyProof(proof, verifiers)).toMatchObject({ ok: true })
    }
    const erased = await all(auditor, { tenant: alice.tenantId, ...WRITES })
    expect(erased.find((one) => one.id === id)).toEqual({
      ...known,
      personal: [{ key: `user-${alice.id}`, state: 'erased' }],
    })
    expect(await all(auditor, { tenant: 'all', ...WRITES, address: ADDRESS })).toEqual([])
  })
})

// Last, since what was cut stays cut.
describe('a search that reaches into what retention has cut', () => {
  it('is told up to where, as far as the cut has come, and one that does not reach there is not', async () => {
    expect(await search(alice, {})).not.toHaveProperty('cutThrough')
    const [batch] = await db.query<{ epoch: number; last: string; sealed_at: Date; root: Buffer }>(
      'select epoch, last, sealed_at, root from palisade.audit_batches order by epoch, last limit 1',
    )
    const last = Number(batch?.last)
    const [cut] = await db.query<{ record_id: string }>(
      `insert into palisade.audit_cuts (record_id, epoch, first, last, root, archive, keep_days, requested_by)
       values (gen_random_uuid(), $1, 1, $2, $3, $3, 366, 'somebody') returning record_id`,
      [batch?.epoch, last, batch?.root],
    )
    expect(await search(alice, {}), 'decided, and nothing taken yet').not.toHaveProperty(
      'cutThrough',
    )

    await db.query('insert into palisade.audit_cut_progress (record_id, next) values ($1, $2)', [
      cut?.record_id,
      last,
    ])
    const sealedAt = batch?.sealed_at.toISOString() ?? ''
    const told = { epoch: batch?.epoch, seq: last - 1, sealedAt }
    const later = new Date(Date.parse(sealedAt) + 60_000).toISOString()
    for (const who of [alice, auditor]) {
      expect((await search(who, {})).cutThrough).toEqual(told)
      expect((await search(who, { from: later })).cutThrough).toBeUndefined()
      expect((await search(who, { to: sealedAt, order: 'oldest' })).cutThrough).toEqual(told)
    }
  })
})
