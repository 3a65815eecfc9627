import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InjectOptions } from 'fastify'
import { pino } from 'pino'
import { systemClock } from '#core/clock'
import { issueAccessToken } from '../../gateway/identity/access-token.ts'
import { hashPassword } from '../../gateway/identity/password-hash.ts'
import { fileSigner, fileSink } from '../../gateway/sealer/file-checkpoints.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { Sealer } from '../../gateway/sealer/sealer.ts'
import { until } from '../support/child.ts'
import {
  keyDirectory,
  person,
  startGateway,
  TEST_NAMES,
  type Ask,
  type TestGateway,
} from '../support/gateway.ts'
import { find, type Value } from '../support/needles.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../support/postgres.ts'
import { rawRequest } from '../support/raw-request.ts'

/** One text for each place of a request that a client fills, looked for in every sink, in every usual encoding. */

const canaries: Value[] = []
/**
 * Longer than what an answer quotes as the name of a field that does not exist.
 * @param where names the place that carries it
 */
function canary(where: string): string {
  const text = `cnry${canaries.length}z${randomBytes(16).toString('hex')}`
  canaries.push({ name: where, text })
  return text
}

const alice = person()
const email = `${canary('e-mail of a user')}@test.invalid`
const password = canary('password of a user')
const sealing = new AbortController()
let db: PalisadeDatabase
let keys: Awaited<ReturnType<typeof keyDirectory>>
let gateway: TestGateway
let sealed: Promise<void>
const sealerMetrics = new SealerMetrics()
const sealerLines: string[] = []
/** Bodies of answers that refuse. */
const refusals: string[] = []

beforeAll(async () => {
  ;[db, keys] = await Promise.all([startPalisadeDatabase(), keyDirectory()])
  gateway = await startGateway(db, {
    ...{ directory: keys.path, level: 'trace', trustedProxies: ['127.0.0.0/8'] },
    users: [{ ...alice, ...{ role: 'user', email }, passwordHash: await hashPassword(password) }],
  })
  await gateway.store.ensureUser({ userId: alice.id, tenantId: alice.tenantId })
  await gateway.app.listen({ host: '127.0.0.1', port: 0 })
  const log = 'palisade.dev/audit/canaries'
  const logger = pino({ level: 'trace' }, { write: (line: string) => void sealerLines.push(line) })
  sealed = new Sealer({
    ...{ database: async () => db.sealer, log, logger, evidence: logger },
    ...{ metrics: sealerMetrics, clock: systemClock, timing: { idleMs: 20 } },
    signers: [await fileSigner(`${keys.path}/checkpoint-key.pem`, log)],
    sinks: [fileSink(`${keys.path}/checkpoint`)],
  }).run(sealing.signal)
})
afterAll(async () => {
  sealing.abort()
  await sealed
  await gateway?.stop()
  await Promise.all([db?.stop(), keys?.remove()])
})

async function ask(status: number, method: string, url: string, wish: Ask = {}): Promise<string> {
  const answer = await gateway.ask(alice, method, url, wish)
  expect(answer.statusCode, `${method} ${url}`).toBe(status)
  if (status >= 400) refusals.push(answer.body)
  return answer.body
}

const put = (status: number, body: object, headers: Ask['headers'] = {}, path = 'mine') =>
  ask(status, 'PUT', `/api/secrets/${path}`, { body, headers })

/** Each place once where the request succeeds, and once where it does not. */
async function fillEveryPlace(): Promise<void> {
  const value = canary('value of a secret')
  await put(201, { value }, { 'idempotency-key': canary('idempotency key') })
  expect(await ask(200, 'GET', '/api/secrets/mine')).toContain(value)
  const strange = Object.fromEntries(
    ['x-request-id', 'traceparent', 'cookie', 'referer', 'origin', 'x-api-key', 'x-anything'].map(
      (name) => [name, canary(`header ${name}`)],
    ),
  )
  const agent = { 'user-agent': canary('user agent') }
  await ask(200, 'GET', '/api/secrets', { headers: { ...strange, ...agent } })
  await ask(404, 'GET', '/api/secrets/none', {
    headers: { 'user-agent': canary('user agent of a refusal') },
  })
  await ask(403, 'PUT', '/api/secrets/mine', {
    ...{ role: 'guest', body: { value: canary('value that may not be written') } },
    headers: { 'user-agent': canary('user agent of who may not') },
  })
  await ask(200, 'GET', '/api/secrets', {
    headers: { 'x-forwarded-for': `${address('address')}, 127.0.0.1` },
  })
  const bad = {
    cas: canary('cas that is no number'),
    [`field${canary('name of a field that does not exist')}`]: canary('its value'),
  }
  await put(400, { value: canary('value beside a bad cas'), cas: bad.cas })
  await put(400, { value: canary('value beside a strange field'), ...bad })
  await put(400, { value: [canary('value that is no text')] })
  await put(400, { value: 'v' }, { 'idempotency-key': `!${canary('bad idempotency key')}` })
  await put(400, { value: 'v' }, {}, `!${canary('bad name')}`)
  await ask(400, 'GET', `/api/secrets?limit=${canary('number in a query')}`)
  await ask(400, 'GET', `/api/secrets?${canary('name in a query')}=1`)
  await ask(404, 'GET', `/api/${canary('path')}`)
  await ask(400, 'POST', '/api/v1/audit/search', {
    ...{
      role: 'user',
      body: { reason: canary('reason'), address: canary('address that is none') },
    },
  })
  await nobodyKnown()
  await malformed()
  await brokenInside()
}

/** A canary in the form of an address. */
function address(where: string): string {
  const groups = randomBytes(12).toString('hex').match(/.{4}/g) ?? []
  const text = `2001:db8:${groups.map((group) => group.replace(/^0/, '1')).join(':')}`
  canaries.push({ name: where, text })
  return text
}

async function nobodyKnown(): Promise<void> {
  const refused = async (status: number, wish: InjectOptions) => {
    const answer = await gateway.app.inject(wish)
    expect(answer.statusCode).toBe(status)
    refusals.push(answer.body)
  }
  const from = { 'x-forwarded-for': address('address of nobody known') }
  const token = `Bearer ${canary('token')}.${canary('payload of a token')}.x`
  await refused(401, { url: '/api/secrets', headers: { authorization: token, ...from } })
  await refused(401, {
    url: '/api/secrets',
    headers: { authorization: `Basic ${Buffer.from(`u:${canary('basic')}`).toString('base64')}` },
  })
  const login = (payload: object): InjectOptions => ({
    ...{ method: 'POST', url: '/api/v1/auth/login', payload },
    headers: { 'user-agent': canary('user agent of a login') },
  })
  const stranger = `${canary('e-mail of nobody known')}@test.invalid`
  await refused(401, login({ email: stranger, password: canary('password of nobody known') }))
  await refused(401, login({ email, password: canary('wrong password') }))
  await refused(400, login({ email: [canary('e-mail that is no text')], password }))
  expect((await gateway.app.inject(login({ email, password }))).statusCode).toBe(200)
}

async function malformed(): Promise<void> {
  const subject = { userId: alice.id, tenantId: alice.tenantId, role: 'user', tokenVersion: 0 }
  const token = await issueAccessToken(
    subject as Parameters<typeof issueAccessToken>[0],
    gateway.keys.signing,
    TEST_NAMES,
    systemClock,
  )
  const raw = async (text: string) =>
    refusals.push(await rawRequest(gateway.app.server, text.replaceAll('\n', '\r\n')))
  const head = `Host: x\nConnection: close\nAuthorization: Bearer ${token}\n`
  const body = (type: string, text: string) =>
    `PUT /api/secrets/mine HTTP/1.1\n${head}Content-Type: ${type}\nContent-Length: ${text.length}\n\n${text}`
  await raw(body('application/json', `{"value":"${canary('JSON that breaks off')}`))
  await raw(body('application/json', `{"value":"a","value":"${canary('member told twice')}"}`))
  await raw(body('application/json', `{"__proto__":{"a":"${canary('prototype')}"},"value":"a"}`))
  await raw(body(`text/${canary('media type')}`, canary('body of another type')))
  await raw(`${canary('method')} / HTTP/1.1\n${head}\n`)
  await raw(`GET /api/secrets HTTP/${canary('version of HTTP')}\n${head}\n`)
  await raw(`GET /api/secrets HTTP/1.1\n${head}Bad Header ${canary('header without colon')}\n\n`)
  await raw(`GET /%${canary('broken escape')} HTTP/1.1\n${head}\n`)
  await raw(`GET /api/secrets HTTP/1.1\n${head}Authorization: Bearer ${canary('second token')}\n\n`)
}

/** Errors of the database quote what it was given. */
async function brokenInside(): Promise<void> {
  const without = async (table: string, act: () => Promise<unknown>) => {
    await db.query(`alter table palisade.${table} rename to away`)
    try {
      await act()
    } finally {
      await db.query(`alter table palisade.away rename to ${table}`)
    }
  }
  const agent = { 'user-agent': canary('user agent of a failure') }
  await without('secret_versions', () =>
    put(500, { value: canary('value that met a broken table') }, agent),
  )
  await without('secret_audit_logs', () =>
    put(500, { value: canary('value that could not be recorded') }, agent),
  )
  await db.query(
    'alter table palisade.secret_versions add constraint nothing_new check (version < 2) not valid',
  )
  try {
    const key = { 'idempotency-key': canary('idempotency key of a row that was refused') }
    await put(500, { value: canary('value of a row that was refused') }, key)
  } finally {
    await db.query('alter table palisade.secret_versions drop constraint nothing_new')
  }
}

/** Every row of every table as text; bytes are hexadecimal there, which the search knows. */
async function everyRow(): Promise<string> {
  const tables = await db.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname like 'palisade%'`,
  )
  const texts: string[] = []
  for (const { name } of tables) {
    const rows = await db.query<{ text: string }>(`select t::text as text from ${name} t`)
    texts.push(...rows.map(({ text }) => text))
  }
  const records = await db.query<{ text: string }>(
    `select convert_from(record, 'UTF8') as text from palisade.secret_audit_logs`,
  )
  return [...texts, ...records.map(({ text }) => text)].join('\n')
}

describe('what a client sends', () => {
  beforeAll(async () => {
    await fillEveryPlace()
    await gateway.refusals.close()
    await until('an empty queue of the sealer', 30_000, async () => {
      const [row] = await db.query<{ left: string }>(
        'select count(*) as left from palisade.audit_pending',
      )
      return row?.left === '0'
    })
  })

  it('is in a record as ciphertext where the record has a place for it', async () => {
    const rows = await db.query<{ text: string }>(
      `select convert_from(record, 'UTF8') as text from palisade.secret_audit_logs`,
    )
    const text = rows.map((row) => row.text).join('\n')
    expect(text).toContain('"fields":["address","userAgent"]')
    expect(canaries.length).toBeGreaterThan(40)
  })

  it('leaves what failed inside recorded as that, behind the roll-back of what it had begun', async () => {
    const told = await db.query<{ type: string; outcome: string; code: string | null }>(
      `select r ->> 'eventType' as type, r ->> 'outcome' as outcome, r ->> 'code' as code
       from (select id, convert_from(record, 'UTF8')::jsonb as r from palisade.secret_audit_logs) l
       where r #>> '{request,method}' = 'PUT' and r ->> 'outcome' <> 'refused' order by id`,
    )
    const written = { type: 'secret.write', outcome: 'success', code: null }
    const failed = { type: 'request.failed', outcome: 'failed', code: 'ERR_INTERNAL' }
    // Of three that failed, one could not be recorded and is a number.
    expect(told).toEqual([written, failed, failed])
    expect(await db.query('select version from palisade.secret_versions')).toEqual([{ version: 1 }])
    const counted = await db.query(
      `select sum(refusals)::integer as times from palisade.audit_counters where reason = 'ERR_INTERNAL'`,
    )
    expect(counted).toEqual([{ times: 1 }])
  })

  it.each([
    ['a log of the gateway', async () => gateway.lines.join('')],
    ['a log of the sealer', async () => sealerLines.join('')],
    ['a log of the database', async () => db.log()],
    ['a metric of the gateway', () => gateway.metrics.registry.metrics()],
    ['a metric of the sealer', () => sealerMetrics.registry.metrics()],
    ['an answer that refuses', async () => refusals.join('\n')],
    ['a row of any table', everyRow],
  ])('is not in %s', async (place, read) => {
    const text = await read()
    expect(text).not.toBe('')
    expect(await find(canaries, { text, place })).toEqual([])
  })
})
