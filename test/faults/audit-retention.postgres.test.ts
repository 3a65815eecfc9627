import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../cli/commands.ts'
import { dispatch } from '../../cli/dispatch.ts'
import { writeSegmentLine } from '../../core/audit/segment.ts'
import { signRecord } from '../../core/audit/record.ts'
import type { Verification } from '../../core/audit/verify.ts'
import { readRetention } from '../../gateway/sealer/retention.ts'
import { sealBatch } from '../../gateway/sealer/seal-batch.ts'
import { recordCut, takePage } from '../../gateway/store/audit-cut.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { PLATFORM_TENANT } from '../../api/audit-event.ts'
import { noteSigner } from '../support/note-signer.ts'
import { startPalisadeDatabase, withClient, type PalisadeDatabase } from '../support/postgres.ts'
import { archiveOf, recordOf, sealedLog } from '../support/sealed-log.ts'
import { auditRow, MAC_KEY } from '../support/store-wishes.ts'

/** Archive, signed cut, and what neither lets through. */

const LOG = 'palisade.dev/audit/retention'
const TENANT = randomUUID()
const PER_BATCH = 6
/** The first two of three batches are old enough. */
const OLD = 2 * PER_BATCH
const SEALED = 3 * PER_BATCH

const { signer, text: KEY } = noteSigner(LOG)

let db: PalisadeDatabase
let folder: string
let macKeys: string
let person: pg.ClientConfig
const at = (name: string) => join(folder, name)

async function write(count: number): Promise<void> {
  const store = new PostgresStore({ ...db.app, max: 1 })
  for (let i = 0; i < count; i += 1) await store.appendAudit(null, auditRow(TENANT))
  await store.close()
}

const seal = () =>
  withClient(db.sealer, (client) =>
    sealBatch(client, { log: LOG, signers: [signer], limit: 1_000 }),
  )

/** As somebody with every right does it; the verifier is who finds out. */
async function asAdministrator(...statements: (readonly [string, ...unknown[]])[]): Promise<void> {
  const tables = ['secret_audit_logs', 'audit_seals', 'audit_batches', 'audit_cuts']
  await withClient(db.superuser, async (client) => {
    for (const table of tables)
      await client.query(`alter table palisade.${table} disable trigger all`)
    for (const [text, ...values] of statements) {
      const { rowCount } = await client.query(text, values)
      expect(rowCount, text).toBeGreaterThan(0)
    }
    for (const table of tables) {
      await client.query(`alter table palisade.${table} enable always trigger only_grows`)
    }
    await client.query(
      'alter table palisade.secret_audit_logs enable always trigger only_what_was_cut',
    )
  })
}

beforeAll(async () => {
  db = await startPalisadeDatabase()
  folder = await mkdtemp(join(tmpdir(), 'palisade-retention-'))
  macKeys = at('mac-keys.json')
  const list = [{ id: MAC_KEY.id, key: MAC_KEY.secret.toString('base64url') }]
  await writeFile(macKeys, JSON.stringify(list))
  const password = randomBytes(16).toString('hex')
  await db.query(
    `create role test_retention login password '${password}' in role palisade_retention`,
  )
  person = db.as('test_retention', password)
  process.env['PALISADE_DATABASE_URL'] =
    `postgresql://test_retention:${password}@${db.host}:${db.port}/${db.database}`
  for (let batch = 0; batch < 3; batch += 1) {
    await write(PER_BATCH)
    await seal()
  }
  await asAdministrator([
    `update palisade.audit_batches set sealed_at = sealed_at - interval '500 days' where last <= $1`,
    OLD,
  ])
  await write(2)
})
afterAll(async () => {
  delete process.env['PALISADE_DATABASE_URL']
  await db?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** What a call of `palisade audit` printed, line by line as JSON. */
async function audit<T>(...args: string[]): Promise<T[]> {
  const lines: string[] = []
  await dispatch(COMMANDS, ['audit', ...args], (line) => lines.push(line))
  return lines.map((line) => JSON.parse(line) as T)
}

interface Archived {
  readonly archive: string
  readonly segment: string
  readonly sha256: string
}
const archive = (until: string, into = 'archive') =>
  audit<Archived>('archive', at(into), '--until', until, '--key', KEY)

const cutArgs = (file: string) => ['--archive', file, '--key', KEY, '--mac-keys', macKeys]
const cut = (file: string, ...more: string[]) =>
  audit<{ taken: number; record: string }>('cut', ...cutArgs(file), ...more)

async function verify(...more: string[]): Promise<Verification> {
  const args = ['--database', '--key', KEY, '--mac-keys', macKeys, '--json', ...more]
  const [result] = await audit<Verification>('verify', ...args)
  return result as Verification
}
const found = async (...more: string[]) =>
  (await verify(...more)).findings.map(({ code, where }) => `${code} ${where}`)

const longAgo = () => new Date(Date.now() - 400 * 86_400_000).toISOString()
const oldArchive = async () => at(`archive/${(await readdir(at('archive'))).sort()[0]}`)

const countOf = async (table: string) =>
  Number((await db.query<{ n: string }>(`select count(*) as n from palisade.${table}`))[0]?.n)

/** The record of a cut as the command writes it, with what a case changes. */
async function cutRow(overrides: object = {}, actor = 'test_retention', key = MAC_KEY) {
  const [root] = await db.query<{ root: string }>(
    `select encode(root, 'hex') as root from palisade.audit_batches where last = $1`,
    [OLD],
  )
  const id = randomUUID()
  const details = { epoch: 1, first: 1, last: OLD, keepDays: 400, archive: 'a'.repeat(64), ...root }
  const event = {
    id,
    tenant: PLATFORM_TENANT,
    eventType: 'audit.cut',
    outcome: 'success',
    writer: 'test',
    macKey: key.id,
    actor: { kind: 'administrator', id: actor },
    details: { ...details, ...overrides },
  }
  const signed = signRecord(event, key)
  return { id, formatVersion: 1, tenantId: PLATFORM_TENANT, writer: 'test', ...signed }
}

describe('palisade audit archive', () => {
  it('writes what was sealed before a moment, with its digest, and it holds by itself', async () => {
    const [written, ...rest] = await archive(longAgo())
    expect(rest).toEqual([])
    expect(written).toMatchObject({ segment: `1/1..${OLD}` })
    const { archive: path, sha256 } = written as Archived
    expect(await readFile(`${path}.sha256`, 'utf8')).toMatch(new RegExp(`^${sha256}  audit-1-`))
    const [held] = await audit('verify', path, '--key', KEY, '--mac-keys', macKeys, '--json')
    expect(held).toMatchObject({ ok: true, counts: { records: OLD, batches: 2 }, doesNotProve: [] })
  })

  it('writes nothing when it runs again, and the same bytes into another folder', async () => {
    expect(await archive(longAgo())).toEqual([])
    const [again] = await archive(`1/${OLD + 1}`, 'again')
    const first = await readFile(await oldArchive())
    expect(first.equals(await readFile(again?.archive ?? ''))).toBe(true)
  })

  it('takes no half of a killed run for an archive, and gives one without its digest that digest', async () => {
    await archive(longAgo(), 'killed')
    const [name = ''] = (await readdir(at('killed'))).sort()
    await rm(at(`killed/${name}.sha256`))
    await writeFile(at(`killed/audit-1-000000000013-000000000018.jsonl.x.partial`), '{"type":"seg')
    const [next] = await archive(String(SEALED), 'killed')
    expect(next?.segment).toBe(`1/${OLD + 1}..${SEALED}`)
    const names = (await readdir(at('killed'))).sort()
    expect(names.filter((each) => !each.endsWith('.partial'))).toHaveLength(4)
  })

  it('writes files of as many records as told, in whole batches, each from the root of the one before', async () => {
    const pieces = await audit<Archived>('archive', at('pieces'), '--until', '1/18', '--size', '12')
    expect(pieces.map(({ segment }) => segment)).toEqual([`1/1..${OLD}`, `1/${OLD + 1}..${SEALED}`])
    const small = await audit<Archived>('archive', at('small'), '--until', '18', '--size', '1')
    expect(small.map(({ segment }) => segment)).toEqual(['1/1..6', '1/7..12', '1/13..18'])
  })

  it('holds what is sealed and no more', async () => {
    const [whole] = await archive('1000000', 'whole')
    expect(whole?.segment).toBe(`1/1..${SEALED}`)
  })

  it('gives no digest to a file that does not hold, nor to one under the name of other places', async () => {
    const unusable = { code: 'ERR_AUDIT_ARCHIVE_UNUSABLE' }
    await archive(longAgo(), 'nameless')
    const [name = ''] = (await readdir(at('nameless'))).sort()
    const whole = await readFile(at(`nameless/${name}`), 'utf8')
    await rm(at(`nameless/${name}.sha256`))
    await writeFile(at(`nameless/${name}`), whole.split('\n').slice(0, -2).join('\n') + '\n')
    await expect(archive(String(SEALED), 'nameless')).rejects.toMatchObject({
      code: 'ERR_AUDIT_TAMPERED',
    })
    await writeFile(at(`nameless/${name}`), whole)
    await rename(at(`nameless/${name}`), at(`nameless/${name.replace('0012.', '0018.')}`))
    await expect(archive(String(SEALED), 'nameless')).rejects.toMatchObject(unusable)
    expect(await readdir(at('nameless'))).toHaveLength(1)
  })

  it('stops at a folder whose newest archive is not what its digest says', async () => {
    await archive(longAgo(), 'spoilt')
    const [name = ''] = (await readdir(at('spoilt'))).sort()
    await writeFile(at(`spoilt/${name}`), 'x')
    await expect(archive(String(SEALED), 'spoilt')).rejects.toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE_UNUSABLE',
    })
  })
})

describe('nobody deletes', () => {
  const roles = ['owner', 'app', 'sealer', 'auditor', 'retention', 'cutter', 'migrator'].map(
    (name) => `palisade_${name}`,
  )
  it.each(['postgres', ...roles])('as %s', async (role) => {
    await withClient(db.superuser, async (client) => {
      await client.query(`set role ${role}`)
      await client.query(`select set_config('palisade.caller', $1, false)`, [`${TENANT}/x`])
      for (const statement of [
        'delete from palisade.secret_audit_logs',
        'delete from palisade.audit_seals',
        'delete from palisade.audit_cuts',
        'truncate palisade.secret_audit_logs',
        `update palisade.secret_audit_logs set record = ''`,
      ]) {
        await expect(client.query(statement), statement).rejects.toMatchObject({
          code: expect.stringMatching(/^(42501|PL020)$/) as string,
        })
      }
    })
    expect(await countOf('secret_audit_logs')).toBe(SEALED + 2)
  })

  it.each(['palisade_app', 'palisade_sealer', 'palisade_auditor', 'palisade_owner'])(
    'through the functions of a cut as %s',
    async (role) => {
      await withClient(db.superuser, async (client) => {
        await client.query(`set role ${role}`)
        const call = client.query('select palisade.cut_audit($1, 10)', [randomUUID()])
        await expect(call).rejects.toMatchObject({ code: '42501' })
      })
    },
  )
})

describe('palisade audit cut is refused', () => {
  const refused = (code: string) => expect.objectContaining({ code }) as Error

  it('for an archive with one bit turned', async () => {
    const bytes = await readFile(await oldArchive())
    const bit = bytes.length - 100
    bytes.writeUInt8(bytes.readUInt8(bit) ^ 1, bit)
    await writeFile(at('damaged.jsonl'), bytes)
    await expect(cut(at('damaged.jsonl'))).rejects.toEqual(refused('ERR_AUDIT_ARCHIVE_UNUSABLE'))
  })

  it('for the archive of another cluster', async () => {
    const other = await sealedLog(
      [1, 2, 3].map((seq) => recordOf(seq)),
      [3],
    )
    const { header, log } = archiveOf(other, 1, 3)
    const lines = [header, ...log.batches, ...log.seals, ...log.records].map(writeSegmentLine)
    await writeFile(at('other.jsonl'), `${lines.join('\n')}\n`)
    await expect(cut(at('other.jsonl'))).rejects.toEqual(refused('ERR_AUDIT_ARCHIVE_UNUSABLE'))
  })

  it('for an archive that holds by itself and differs from the database', async () => {
    const lines = (await readFile(await oldArchive(), 'utf8')).trimEnd().split('\n')
    // The same things in another order: every check of the file alone is content.
    const [header = '', ...rest] = lines
    await writeFile(at('reordered.jsonl'), `${[header, ...rest.reverse()].join('\n')}\n`)
    await expect(cut(at('reordered.jsonl'))).rejects.toThrow('the database does not hold')
  })

  it('below the minimum of retention, unless it is said', async () => {
    const call = cut(await oldArchive(), '--keep', '30')
    await expect(call).rejects.toEqual(refused('ERR_USAGE'))
  })

  it('for records that are younger than what is kept', async () => {
    await expect(cut(await oldArchive(), '--keep', '600')).rejects.toThrow('kept for 600 days')
  })

  it.each([
    ['that ends where no batch ends', { last: OLD - 1 }, 'PL021', undefined],
    ['of unsealed records', { last: SEALED + 2 }, 'PL021', undefined],
    ['with another root', { root: 'b'.repeat(64) }, 'PL021', undefined],
    ['that does not begin where the log does', { first: 2 }, 'PL021', undefined],
    ['below the minimum', { keepDays: 30 }, 'PL022', undefined],
    [
      'below the floor, whatever it says of itself',
      { keepDays: 0, belowMinimum: 1 },
      'PL022',
      undefined,
    ],
    ['in somebody else’s name', {}, 'PL021', 'alice'],
  ])('by the database for a record %s', async (_, overrides, code, actor) => {
    const row = await cutRow(overrides, actor)
    await withClient(person, async (client) => {
      await expect(recordCut(client, row)).rejects.toMatchObject({ cause: { code } })
    })
    expect(await countOf('audit_cuts')).toBe(0)
  })

  it('by the database for a record under a key that no writer has used', async () => {
    const row = await cutRow({}, undefined, { id: 'nobody', secret: randomBytes(32) })
    await withClient(person, async (client) => {
      await expect(recordCut(client, row)).rejects.toMatchObject({ cause: { code: 'PL021' } })
    })
    expect(await countOf('audit_cuts')).toBe(0)
  })

  it('below a floor that nobody but the owner of the tables lowers', async () => {
    const lower = `create or replace function palisade.retention_floor() returns integer language sql stable
      set search_path = pg_catalog, pg_temp as 'select 30'`
    for (const role of ['retention', 'cutter', 'auditor', 'app', 'sealer']) {
      await withClient(db.superuser, async (client) => {
        await client.query(`set role palisade_${role}`)
        await expect(client.query(lower), role).rejects.toMatchObject({ code: '42501' })
      })
    }
    const row = await cutRow({ keepDays: 30, belowMinimum: 1 }, 'postgres')
    await withClient(db.superuser, async (client) => {
      await client.query('begin')
      await client.query('set local role palisade_owner')
      await client.query(lower)
      expect(await recordCut(client, row)).toBe(true)
      await client.query('rollback')
    })
  })

  it('while its record is not sealed, also when somebody forged the row of it', async () => {
    const { id, bytes, mac } = await cutRow()
    await db.query(
      `insert into palisade.audit_cuts (record_id, epoch, first, last, root, archive, keep_days, requested_by)
       select $1, 1, 1, last, root, root, 400, 'x' from palisade.audit_batches where last = $2`,
      [id, OLD],
    )
    const attempt = () => withClient(person, (client) => takePage(client, id, 100))
    await expect(attempt()).rejects.toThrow('no sealed record')
    await db.query(
      `insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
       values ($1, $2, 1, 'x', 'x', $3, $4)`,
      [id, PLATFORM_TENANT, Buffer.from(bytes), Buffer.from(mac)],
    )
    await expect(attempt()).rejects.toThrow('no sealed record')
    expect(await countOf('secret_audit_logs')).toBe(SEALED + 3)
    await asAdministrator(
      ['delete from palisade.audit_cuts where record_id = $1', id],
      ['delete from palisade.secret_audit_logs where id = $1', id],
    )
  })
})

describe('palisade audit cut', () => {
  /** The command in a process of its own, which can be killed. */
  const start = (file: string) =>
    spawn(process.execPath, ['cli/main.ts', 'audit', 'cut', ...cutArgs(file)], { stdio: 'ignore' })
  const gone = (child: ReturnType<typeof start>) =>
    new Promise((resolve) => child.once('exit', resolve))

  it('goes on when it was killed before its record was sealed, and in the middle of deleting', async () => {
    const file = await oldArchive()
    const first = start(file)
    await expect.poll(() => countOf('audit_cuts'), { timeout: 30_000 }).toBe(1)
    first.kill('SIGKILL')
    await gone(first)
    expect(await countOf('secret_audit_logs')).toBe(SEALED + 3)
    await seal()

    const [told] = await db.query<{ id: string }>('select record_id as id from palisade.audit_cuts')
    const partly = await withClient(person, (client) => takePage(client, told?.id ?? '', 4))
    expect(partly).toEqual({ taken: 4, finished: false })
    expect(await found()).toEqual([])

    await withClient(db.superuser, async (holder) => {
      await holder.query('begin')
      await holder.query('select from palisade.audit_cut_progress for update')
      const second = start(file)
      const waiting = `select 1 from pg_stat_activity where application_name = 'palisade-cli' and wait_event_type = 'Lock'`
      await expect.poll(() => db.query(waiting), { timeout: 30_000 }).toHaveLength(1)
      second.kill('SIGKILL')
      await gone(second)
      await holder.query('rollback')
    })
    const both = await Promise.all([cut(file), cut(file)])
    expect(both.map(([done]) => done?.taken)).toEqual([OLD, OLD])
    expect(await countOf('audit_cuts')).toBe(1)
  })

  it('left every seal, the younger records and its own record', async () => {
    expect(await countOf('audit_seals')).toBe(SEALED + 3)
    expect(await countOf('secret_audit_logs')).toBe(SEALED + 3 - OLD)
  })

  it('was noted before it read anything, like the archive, under the name of the login', async () => {
    const noted = await db.query(
      'select distinct login, purpose from palisade.audit_readings order by purpose',
    )
    const login = 'test_retention'
    expect(noted).toEqual(
      expect.arrayContaining([
        { login, purpose: 'archive' },
        { login, purpose: 'cut' },
      ]),
    )
  })

  it('shows in the metrics of the sealer, which reads no record', async () => {
    const state = await withClient(db.sealer, readRetention)
    const yesterday = Date.now() / 1000 - 86_400
    expect(state).toMatchObject({ cutRecords: OLD, unfinished: 0 })
    expect(state.oldestRecord).toBeGreaterThan(yesterday)
    expect(state.lastCut).toBeGreaterThan(yesterday)
  })

  it('is told by the verifier, with who, when and the archive', async () => {
    const result = await verify()
    expect(result).toMatchObject({
      ok: true,
      cuts: [
        { epoch: 1, first: 1, last: OLD, by: 'test_retention', authenticated: true, missing: OLD },
      ],
    })
    const lines: string[] = []
    const verified = await dispatch(
      COMMANDS,
      ['audit', 'verify', '--database', '--key', KEY],
      (line) => lines.push(line),
    )
    expect(lines.join('\n')).toMatch(/1\/1\.\.12 were cut on \S+ by test_retention, archive sha256/)
    // Neither a MAC key nor the archive: whoever may write to the database could have made it up.
    expect(verified).toBe(3)
    expect(lines.join('\n')).toContain('CutUnproven at 1/1..12')
  })

  it('is whole with its archive', async () => {
    const result = await verify('--archive', await oldArchive())
    expect(result).toMatchObject({
      ok: true,
      cuts: [{ missing: 0 }],
      doesNotProve: expect.anything() as string[],
    })
    expect(result.proves.join()).toContain(`1/1..${OLD} are whole`)
  })

  it('leaves proofs of the records that are there, and of the others with their archive', async () => {
    await audit('export', at('log.jsonl'))
    const [alive, cutOne] = await Promise.all(
      [OLD + 1, 3].map((seq) =>
        db.query<{ id: string }>(
          'select record_id as id from palisade.audit_seals where seq = $1',
          [seq],
        ),
      ),
    )
    const prove = async (id: string | undefined, ...more: string[]) => {
      const [proof] = await audit('prove', at('log.jsonl'), '--record', id ?? '', ...more)
      await writeFile(at('proof.json'), JSON.stringify(proof))
      return audit('check', at('proof.json'), '--key', KEY, '--json')
    }
    expect(await prove(alive?.[0]?.id)).toEqual([expect.objectContaining({ ok: true })])
    await expect(prove(cutOne?.[0]?.id)).rejects.toThrow('--archive')
    const [shown] = await prove(cutOne?.[0]?.id, '--archive', await oldArchive())
    expect(shown).toMatchObject({ ok: true })
  })

  it('takes nothing again when it runs again, and refuses what is younger', async () => {
    await copyFile(await oldArchive(), at('copy.jsonl'))
    expect(await cut(at('copy.jsonl'))).toEqual([expect.objectContaining({ taken: OLD })])
    const [next] = await archive(String(SEALED))
    expect(next?.segment).toBe(`1/${OLD + 1}..${SEALED}`)
    await expect(cut(next?.archive ?? '')).rejects.toThrow('kept for 366 days')
  })

  it('hides no theft: a record more, or the record of the cut itself', async () => {
    const [row] = await db.query<{ record_id: string }>('select record_id from palisade.audit_cuts')
    const theft =
      'delete from palisade.secret_audit_logs where id = (select record_id from palisade.audit_seals where seq = $1)'
    await asAdministrator([theft, OLD + 2])
    expect(await found()).toEqual([`RecordDeleted 1/${OLD + 2}`])
    await asAdministrator(['delete from palisade.secret_audit_logs where id = $1', row?.record_id])
    expect(await found()).toHaveLength(OLD + 2)
  })
})
