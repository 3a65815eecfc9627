import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import pg from 'pg'
import { AuditClient, withoutRecord, type Answer } from '../support/audit-client.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { inTime } from '../support/child.ts'
import { runbookCommands } from '../support/runbook-commands.ts'
import { mountSmallVolume, type SmallVolume } from '../support/small-volume.ts'

/** The database lies on a file system of 160 MiB; a gateway and a sealer are processes that nobody starts again. */

const MIB = 1024 ** 2
const ROOM = 160 * MIB
/** A megabyte of the write-ahead log, and nothing else. */
const SPEND = `select pg_logical_emit_message(true, 'x', repeat('x', 1000000))`
const EVENTUALLY = { timeout: 30_000, interval: 50 }
let volume: SmallVolume
let world: AuditWorld
let client: AuditClient
const values = new Map<string, string>()

beforeAll(async () => {
  volume = await mountSmallVolume(ROOM)
  world = await AuditWorld.start({
    ...{ replicas: 1, sealers: 1, capacityBytes: ROOM },
    database: {
      within: volume.path,
      // Small files of the write-ahead log, and a stock of them: it then lasts longer than the room for records.
      walFileMib: 1,
      settings: { min_wal_size: '24MB', max_wal_size: '24MB', autovacuum: 'off' },
    },
  })
  const [who] = await world.people(1)
  client = new AuditClient(world, who ?? (undefined as never))
})
afterAll(async () => {
  await client?.close()
  await world?.stop().finally(() => volume.remove())
})

const write = async (name: string, bytes = 1_000): Promise<Answer> => {
  const value = randomBytes(bytes / 2).toString('hex')
  const answer = await client.ask('PUT', name, value)
  if (answer.status === 201) {
    values.set(name, value)
    client.acknowledged.push({ eventType: 'secret.write', name, version: answer.body.version ?? 0 })
  }
  return answer
}
const read = async (name: string): Promise<Answer> => {
  const answer = await client.ask('GET', name)
  const { version = 0 } = answer.body
  if (answer.status === 200) client.acknowledged.push({ eventType: 'secret.read', name, version })
  return answer
}
const told = ({ status, body }: Answer) => [status, body.code]
const FULL = [503, 'ERR_AUDIT_STORAGE_FULL']
const ask = (path: string, wish: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${world.replicas[0]?.port}${path}`, { signal: inTime(), ...wish })
const count = async (table: string) => {
  const [row] = await world.db.query<{ n: string }>(`select count(*) as n from palisade.${table}`)
  return Number(row?.n)
}

/** What was acknowledged is there with its record, and what has no record did not happen. */
async function expectNothingLost(): Promise<void> {
  const recorded = await world.recorded()
  expect(withoutRecord(client.acknowledged, recorded)).toEqual([])
  const writes = recorded.filter(
    ({ eventType, outcome }) => eventType === 'secret.write' && outcome === 'success',
  )
  expect(await count('secret_versions')).toBe(writes.length)
  for (const [name, value] of values) expect((await read(name)).body.value, name).toBe(value)
  await world.sealed()
  const { findings, counts } = await world.verify()
  expect([findings, counts.unsealed]).toEqual([[], 0])
}

describe('the watermarks of the audit volume', () => {
  const grow = async (share: number) => {
    const [row] = await world.db.query<{ used: string }>(
      'select data_bytes + wal_bytes as used from palisade.audit_volume()',
    )
    const blobs = Math.ceil((share * ROOM - Number(row?.used)) / 103_000)
    await world.db.query(
      `insert into filler select decode(repeat('00', 100000), 'hex') from generate_series(1, $1::int)`,
      [blobs],
    )
  }
  /** What was counted of a minute gets its record when that is over, whatever happens then. */
  const ofCallers = async () =>
    (await world.recorded()).filter(({ eventType }) => eventType !== 'refusals.counted')
  const passed = async () => (await world.replicas[0]?.log())?.match(/"watermark":"(\w+)"/g) ?? []
  const flood = async (sources: number) => {
    for (let i = 0; i < sources; i += 1) {
      const headers = { 'x-forwarded-for': `198.51.${100 + (i >> 8)}.${i & 255}` }
      expect((await ask('/api/secrets', { headers })).status).toBe(401)
    }
  }

  beforeAll(async () => {
    await world.db.query('create unlogged table filler (blob bytea)')
    await world.db.query('alter table filler alter column blob set storage external')
    await write('before')
  })

  it('from 90 % leave of a flood one number for all its sources', async () => {
    await grow(0.92)
    await expect.poll(passed, EVENTUALLY).toHaveLength(1)
    await flood(40)
    const sources = `select count(distinct source_digest) as sources, sum(refusals) as refusals
      from palisade.audit_counters where reason = 'ERR_UNAUTHENTICATED'`
    const counted = async () => (await world.db.query(sources))[0]
    await expect.poll(counted, EVENTUALLY).toEqual({ sources: '1', refusals: '40' })
    expect((await write('at-92-percent')).status).toBe(201)
  })

  it('from 95 % refuse what leaves a record and serve the rest, and what was committed is still sealed', async () => {
    await grow(0.965)
    await expect.poll(async () => told(await read('before')), EVENTUALLY).toEqual(FULL)
    const before = await ofCallers()
    const authorization = `Bearer ${await world.token(await whoever())}`
    const put = await ask('/api/secrets/refused', {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ value: 'v' }),
    })
    expect([put.status, put.headers.get('retry-after')]).toEqual([503, '30'])
    const list = await ask('/api/secrets', { headers: { authorization } })
    expect(list.status).toBe(503)
    expect((await ask('/.well-known/jwks.json')).status).toBe(200)
    expect((await ask('/api/secrets')).status).toBe(401)
    expect((await ask('/nowhere')).status).toBe(404)
    expect(await ofCallers()).toEqual(before)
    await world.sealed()
  })

  it('are explained by what the pages of their alerts ask the server', async () => {
    const statements = runbookCommands()
      .filter(({ page }) => ['AuditVolumeFilling', 'AuditStorageFull'].includes(page))
      .flatMap(({ text }) => / -c (['"])(select .*)\1$/.exec(text)?.[2] ?? [])
    const answers = await Promise.all(statements.map((text) => world.db.query(text)))
    expect(answers.map((rows) => Object.keys(rows[0] ?? {}))).toEqual([
      ['data', 'wal', 'wal_is_listed'],
      ...[['data', 'wal', 'wal_is_listed'], ['table', 'size'], []],
    ])
    expect(answers[2]?.[0]).toEqual({ table: 'filler', size: expect.stringMatching(/^\d+ MB$/) })
  })

  it('open again by themselves when there is room', async () => {
    await world.db.query('truncate filler')
    await expect.poll(async () => (await write('after')).status, EVENTUALLY).toBe(201)
    await expectNothingLost()
  })

  const whoever = async () => {
    const [one] = await world.people(1)
    if (!one) throw new Error('nobody was made')
    return one
  }
})

describe('a volume without one byte left', () => {
  it('refuses writes and reads with 503, loses nothing that was acknowledged, and serves again by itself', async () => {
    // Used once, its files are kept for the next round.
    for (let i = 0; i < 24; i += 1) {
      await world.db.query(SPEND)
    }
    await world.db.query('checkpoint')
    await volume.fill()
    const until = async (act: (i: number) => Promise<Answer>) => {
      for (let i = 0; i < 2_000; i += 1) {
        const answer = await act(i)
        if (answer.status >= 400) return told(answer)
      }
      return 'never refused'
    }
    expect(await until((i) => write(`large-${i}`, 60_000))).toEqual(FULL)
    expect(await until(() => read('before'))).toEqual(FULL)
    await volume.free()
    await expect.poll(async () => (await write('room')).status, EVENTUALLY).toBe(201)
    await expectNothingLost()
  })

  it('for the write-ahead log ends the server, and the gateway goes on where it comes back', async () => {
    await volume.fill()
    const session = new pg.Client(world.db.superuser)
    session.on('error', () => undefined)
    await session.connect()
    const exhaust = async () => {
      for (let i = 0; i < 200; i += 1) await session.query(SPEND)
    }
    await expect(exhaust()).rejects.toThrow()
    await session.end().catch(() => undefined)
    await expect
      .poll(async () => (await client.ask('PUT', 'away', 'v')).status, EVENTUALLY)
      .toBe(503)
    await volume.free()
    await world.db.comeBack()
    await expect.poll(async () => (await write('back')).status, EVENTUALLY).toBe(201)
    await expectNothingLost()
  })
})
