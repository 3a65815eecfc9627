import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvidence } from '../../cli/audit-evidence.ts'
import { collect, type LogLine } from '../../core/audit/export.ts'
import { parseVerifier, verifierText } from '../../core/audit/note.ts'
import { verifyLog, type Evidence, type Verification } from '../../core/audit/verify.ts'
import { makeLog } from '../../gateway/observe/log.ts'
import { witness } from '../../gateway/observe/witness.ts'
import { systemClock } from '../../core/clock.ts'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import type { CheckpointSigner } from '../../gateway/sealer/ports.ts'
import { sealBatch } from '../../gateway/sealer/seal-batch.ts'
import { selfCheck } from '../../gateway/sealer/self-check.ts'
import { Rest } from '../../gateway/sealer/rest.ts'
import { runSelfChecks } from '../../gateway/sealer/self-checks.ts'
import { exportLog } from '../../gateway/store/audit-export.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { copyDatabase } from '../support/database-copy.ts'
import { startPalisadeDatabase, withClient, type PalisadeDatabase } from '../support/postgres.ts'
import { runbookCommands } from '../support/runbook-commands.ts'
import { auditRow, MAC_KEY } from '../support/store-wishes.ts'

/** Every way of tampering that an administrator of the database has, each with the name the verifier must give it. */

const LOG = 'palisade.dev/audit/tampering'
const TENANTS = [randomUUID(), randomUUID()]
const BATCHES = 4
const PER_BATCH = 6
const SEALED = BATCHES * PER_BATCH
const UNSEALED = 4
const POLL = { timeout: 30_000, interval: 20 }

function makeSigner(): CheckpointSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { name: LOG, publicKey: raw, sign: async (text) => sign(null, text, privateKey) }
}

const signer = makeSigner()
const rows: AuditRow[] = []
const checkpoints: string[] = []
let db: PalisadeDatabase
let cases = 0

const inDatabase = (config: pg.ClientConfig, database: string) => ({ ...config, database })

const seal = (database: string, by = signer) =>
  withClient(inDatabase(db.sealer, database), (client) =>
    sealBatch(client, { log: LOG, signers: [by], limit: 1_000 }),
  )

async function write(database: string, count: number): Promise<AuditRow[]> {
  const store = new PostgresStore({ ...inDatabase(db.app, database), max: 1 })
  const written: AuditRow[] = []
  for (let i = 0; i < count; i += 1) {
    const row = auditRow(TENANTS[i % 2] ?? '')
    await store.appendAudit(null, row)
    written.push(row)
  }
  await store.close()
  return written
}

beforeAll(async () => {
  db = await startPalisadeDatabase()
  for (let batch = 0; batch < BATCHES; batch += 1) {
    // What the database looked like before its last batch was written.
    if (batch === BATCHES - 1) await copy('yesterday')
    rows.push(...(await write('palisade', PER_BATCH)))
    const sealed = await seal('palisade')
    checkpoints.push(sealed?.checkpoint ?? '')
  }
  rows.push(...(await write('palisade', UNSEALED)))
})
const folders: string[] = []
afterAll(async () => {
  await db?.stop()
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })))
})

const copy = async (name: string, from?: string) => (await copyDatabase(db, name, from)).database

type Statement = readonly [string, ...unknown[]]

/** A copy in which somebody with every right has been at work. */
async function tampered(...statements: Statement[]): Promise<string> {
  const name = await copy(`case_${(cases += 1)}`)
  await tamper(name, ...statements)
  return name
}

/** Triggers do not stop whoever has every right, only slow them down. */
async function tamper(name: string, ...statements: Statement[]): Promise<void> {
  await withClient(inDatabase(db.superuser, name), async (client) => {
    const triggers = [
      ...['secret_audit_logs', 'audit_seals', 'audit_batches'].map((table) => [
        table,
        'only_grows',
      ]),
      ['secret_audit_logs', 'only_what_was_cut'],
    ]
    for (const [table, trigger] of triggers) {
      await client.query(`alter table palisade.${table} disable trigger ${trigger}`)
    }
    for (const [text, ...values] of statements) {
      const { rowCount } = await client.query(text, values)
      // A statement that hits nothing would make its case pass for no reason.
      expect(rowCount, text).toBeGreaterThan(0)
    }
    for (const [table, trigger] of triggers) {
      await client.query(`alter table palisade.${table} enable always trigger ${trigger}`)
    }
  })
}

const evidence = (): Evidence => ({
  verifiers: [parseVerifier(verifierText(signer.name, signer.publicKey))],
  checkpoints: [checkpoints.at(-1) ?? ''],
  witness: rows.map(({ id, leaf }) => ({ id, leaf: Buffer.from(leaf) })),
  macKeys: new Map([[MAC_KEY.id, MAC_KEY.secret]]),
})

async function verify(database: string, overrides: Partial<Evidence> = {}): Promise<Verification> {
  const lines: LogLine[] = []
  await withClient(inDatabase(db.auditor, database), async (client) => {
    for await (const line of exportLog(client, new Date())) lines.push(line)
  })
  return verifyLog(collect(lines), { ...evidence(), ...overrides })
}

const found = async (database: string, overrides: Partial<Evidence> = {}) =>
  (await verify(database, overrides)).findings.map(({ code, where }) => `${code} ${where}`)

const NO_FILES = { key: [], checkpoint: [], witness: [], macKeys: undefined }

/** What the gateway prints of these, as the kubelet's container log file has it, each line in pieces. */
async function containerLog(committed: readonly AuditRow[]): Promise<string> {
  const lines: string[] = []
  // A level that prints nothing else: what is evidence is printed nevertheless.
  const destination = { write: (line: string) => lines.push(line.trimEnd()) }
  committed.forEach(witness(makeLog({ level: 'silent', service: 'gateway', destination })))
  const pieces = lines.flatMap((line) => [
    `2026-11-27T09:00:00.1Z stdout P ${line.slice(0, 100)}`,
    '2026-11-27T09:00:00.1Z stderr F (node:1) Warning',
    `2026-11-27T09:00:00.1Z stdout F ${line.slice(100)}`,
  ])
  const path = join(await mkdtemp(join(tmpdir(), 'palisade-container-log-')), '0.log')
  folders.push(dirname(path))
  await writeFile(path, `${pieces.join('\n')}\n`)
  return path
}

const id = (index: number) => rows[index]?.id ?? ''
const FIRST_UNSEALED = SEALED
/** A statement's text that changes one byte and keeps the record well-formed JSON. */
const EDIT = `update palisade.secret_audit_logs
  set record = convert_to(replace(convert_from(record, 'UTF8'), 'success', 'refused'), 'UTF8') where id = $1`
const UNDO = EDIT.replace("'success', 'refused'", "'refused', 'success'")
const SWAP = `update palisade.secret_audit_logs l
  set record = o.record, mac = o.mac from palisade.secret_audit_logs o
  where (l.id = $1 and o.id = $2) or (l.id = $2 and o.id = $1)`

describe('an untouched log', () => {
  it('holds, and says what that proves', async () => {
    const result = await verify('palisade')
    expect(result).toMatchObject({
      ok: true,
      findings: [],
      counts: { records: SEALED + UNSEALED, sealed: SEALED, unsealed: UNSEALED, batches: BATCHES },
      doesNotProve: [],
    })
    expect(result.proves).toHaveLength(5)
  })

  it('holds against every checkpoint that was ever outside', async () => {
    expect(await found('palisade', { checkpoints })).toEqual([])
  })

  it('says what it does not prove when nothing from outside is given', async () => {
    const result = await verify('palisade', {
      verifiers: [],
      checkpoints: [],
      witness: [],
      macKeys: new Map(),
    })
    expect(result.ok).toBe(true)
    expect(result.doesNotProve).toHaveLength(4)
  })
})

describe('an edited record', () => {
  it('is found when it was sealed', async () => {
    expect(await found(await tampered([EDIT, id(7)]))).toEqual(['RecordEdited 1/8'])
  })

  it('is found when it was not sealed yet', async () => {
    const at = id(FIRST_UNSEALED)
    expect(await found(await tampered([EDIT, at]))).toEqual([`RecordEdited ${at}`])
  })

  it('is found when the hash that waits to be sealed was changed with it: by the witness, or by the MAC', async () => {
    const at = id(FIRST_UNSEALED)
    const name = await tampered(
      [EDIT, at],
      [
        `update palisade.audit_pending p set leaf = sha256('\\x00'::bytea || l.record)
         from palisade.secret_audit_logs l where l.id = p.record_id and l.id = $1`,
        at,
      ],
    )
    expect(await found(name)).toEqual(expect.arrayContaining([`RecordEdited ${at}`]))
    expect(await found(name, { witness: [] })).toEqual([`RecordForged ${at}`])
    // Sealing it afterwards does not wash it.
    await seal(name)
    expect(await found(name, { witness: [] })).toEqual([`RecordForged 1/${SEALED + 1}`])
  })

  it('is found when its seal was changed with it', async () => {
    const name = await tampered(
      [EDIT, id(7)],
      [
        `update palisade.audit_seals s set leaf = sha256('\\x00'::bytea || l.record)
         from palisade.secret_audit_logs l where l.id = s.record_id and l.id = $1`,
        id(7),
      ],
    )
    const none = { witness: [], macKeys: new Map<string, Uint8Array>() }
    expect(await found(name, none)).toEqual(['SealEdited 1/7..12'])
  })
})

describe('an edited record that is put back by the command of AuditChainBroken', () => {
  const command = runbookCommands().find(({ text }) => text.includes("decode('<record>'"))?.text
  const [, sql = ''] = /<<< "(.+)"$/.exec(command ?? '') ?? []

  /** As psql -1 runs it: all or nothing. */
  async function putBack(name: string, of: AuditRow | undefined, by = of): Promise<string[]> {
    const text = sql
      .replaceAll('<id>', of?.id ?? '')
      .replaceAll('<record>', Buffer.from(by?.bytes ?? '').toString('base64'))
      .replaceAll('<mac>', Buffer.from(by?.mac ?? '').toString('base64'))
    await withClient(inDatabase(db.superuser, name), (client) => client.query(text))
    return found(name)
  }

  it('makes the log hold again', async () => {
    const name = await tampered([EDIT, id(7)])
    expect(await putBack(name, rows[7])).toEqual([])
    await expect(
      withClient(inDatabase(db.superuser, name), (client) => client.query(EDIT, [id(7)])),
    ).rejects.toThrow('audit tables only grow')
  })

  it('is left as it is where the bytes are not those that were sealed', async () => {
    const name = await tampered([EDIT, id(7)])
    expect(await putBack(name, rows[7], rows[8])).toEqual(['RecordEdited 1/8'])
  })
})

describe('a deleted record', () => {
  it('is found when it was sealed', async () => {
    const name = await tampered(['delete from palisade.secret_audit_logs where id = $1', id(3)])
    expect(await found(name)).toEqual(['RecordDeleted 1/4'])
  })

  it('is found when its seal went with it', async () => {
    const name = await tampered(
      ['delete from palisade.secret_audit_logs where id = $1', id(3)],
      ['delete from palisade.audit_seals where record_id = $1', id(3)],
    )
    expect(await found(name, { witness: [] })).toEqual(['SealDeleted 1/4'])
  })

  it('is found when it was not sealed yet', async () => {
    const at = id(FIRST_UNSEALED + 1)
    const name = await tampered(['delete from palisade.secret_audit_logs where id = $1', at])
    expect(await found(name, { witness: [] })).toEqual([`UnsealedDeleted ${at}`])
    // The sealer seals what was committed, so the hole shows for good.
    await seal(name)
    expect(await found(name, { witness: [] })).toEqual([`RecordDeleted 1/${SEALED + 2}`])
  })

  it('is found by the witness when it was not sealed yet and nothing in the database remembers it', async () => {
    const at = id(FIRST_UNSEALED + 1)
    const name = await tampered(
      ['delete from palisade.secret_audit_logs where id = $1', at],
      ['delete from palisade.audit_pending where record_id = $1', at],
    )
    expect(await found(name)).toEqual([`UnsealedDeleted ${at}`])
    const blind = await verify(name, { witness: [] })
    expect(blind.ok).toBe(true)
    expect(blind.doesNotProve.join()).toContain('taken away before it was sealed')
    // The lines as the gateway wrote them and a shipper found them on the node.
    const shipped = await readEvidence({ ...NO_FILES, witness: [await containerLog(rows)] })
    expect(await found(name, { witness: shipped.witness })).toEqual([`UnsealedDeleted ${at}`])
    expect(await found('palisade', { witness: shipped.witness })).toEqual([])
  })
})

describe('swapped records', () => {
  it('are found when they were sealed', async () => {
    const name = await tampered([SWAP, id(2), id(15)])
    expect(await found(name)).toEqual([
      expect.stringMatching(/^RecordsSwapped 1\/(3 and 1\/16|16 and 1\/3)$/),
    ])
  })

  it('are found when they were not sealed yet', async () => {
    const name = await tampered([SWAP, id(FIRST_UNSEALED), id(FIRST_UNSEALED + 1)])
    expect(await found(name)).toEqual([expect.stringContaining('RecordsSwapped')])
  })

  it('are found when their seals were swapped, so that each still fits its own', async () => {
    const name = await tampered(
      ['update palisade.audit_seals set seq = 1000 + seq where seq in (8, 10)'],
      ['update palisade.audit_seals set seq = 1018 - seq where seq in (1008, 1010)'],
    )
    expect(await found(name)).toEqual(['SealEdited 1/7..12'])
  })
})

const LAST = SEALED - PER_BATCH
describe('a cut tail', () => {
  const cut = [
    ['delete from palisade.audit_batches where last > $1', LAST],
    ['delete from palisade.audit_seals where seq > $1', LAST],
  ] as const

  it('is found when records, seals and batch were deleted together', async () => {
    const name = await tampered(
      [
        `delete from palisade.secret_audit_logs where id in (select record_id from palisade.audit_seals where seq > $1)`,
        LAST,
      ],
      ...cut,
    )
    expect(await found(name)).toEqual([`TailCut 1/${LAST + 1}..${SEALED}`])
    expect(await found(name, { witness: [] })).toEqual([`TailCut 1/${LAST + 1}..${SEALED}`])
  })

  it('is found when the records were left behind', async () => {
    expect(await found(await tampered(...cut))).toEqual([`TailCut 1/${LAST + 1}..${SEALED}`])
  })

  it('is found without any checkpoint from outside when only seals or only the batch went', async () => {
    for (const statement of cut) {
      const name = await tampered(statement)
      const codes = (await verify(name, { checkpoints: [] })).findings.map(({ code }) => code)
      expect(codes).toEqual(['TailCut'])
    }
  })

  it('says that it cannot be seen without a checkpoint from outside when everything went in step', async () => {
    const name = await tampered(
      [
        `delete from palisade.secret_audit_logs where id in (select record_id from palisade.audit_seals where seq > $1)`,
        LAST,
      ],
      ...cut,
    )
    const blind = await verify(name, { checkpoints: [], witness: [] })
    expect(blind.ok).toBe(true)
    expect(blind.doesNotProve.join()).toContain('newest database')
  })
})

describe('an old dump', () => {
  it('is found when it was restored, and not called tampering', async () => {
    expect(await found('yesterday')).toEqual([`RestoredDump 1/${LAST + 1}..${SEALED}`])
  })

  it('is found when sealing went on from it, as another history', async () => {
    const name = await copy(`case_${(cases += 1)}`, 'yesterday')
    await write(name, 9)
    await seal(name)
    const codes = (await verify(name, { witness: [] })).findings.map(({ code }) => code)
    expect(codes).toEqual(['Forked'])
  })
})

describe('a rewritten history', () => {
  /** Everything is taken out of the log and sealed again, in the same order, after an edit. */
  async function rewritten(by: CheckpointSigner): Promise<string> {
    const name = await tampered(
      ['update palisade.audit_pending set since = now()'],
      [EDIT, id(1)],
      ['delete from palisade.audit_batches'],
      [
        `insert into palisade.audit_pending (record_id, tenant_id, leaf, since)
         select l.id, l.tenant_id, sha256('\\x00'::bytea || l.record), 'epoch'::timestamptz + s.seq * interval '1 s'
         from palisade.audit_seals s join palisade.secret_audit_logs l on l.id = s.record_id`,
      ],
      ['delete from palisade.audit_seals'],
    )
    await seal(name, by)
    return name
  }

  it('is found by its signature when another key sealed it', async () => {
    const name = await rewritten(makeSigner())
    const codes = (await verify(name, { witness: [], checkpoints: [] })).findings.map((f) => f.code)
    expect(codes).toEqual(['SignatureInvalid', 'RecordForged'])
  })

  it('is found by a checkpoint from outside even when the key of the log itself sealed it', async () => {
    const name = await rewritten(signer)
    const none = { witness: [], macKeys: new Map<string, Uint8Array>() }
    expect(await found(name, none)).toEqual([`Forked 1/${SEALED}`])
  })
})

describe('an inserted record', () => {
  const insert = `insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
    select $1, tenant_id, format_version, writer, mac_key_id, record, mac from palisade.secret_audit_logs where id = $2`

  it('is found when it was put past the queue', async () => {
    const at = randomUUID()
    expect(await found(await tampered([insert, at, id(0)]))).toEqual([`RecordUnaccounted ${at}`])
  })

  it('is found by its MAC when it went through the queue', async () => {
    const at = randomUUID()
    const name = await tampered(
      [insert, at, id(0)],
      [EDIT, at],
      [
        `insert into palisade.audit_pending (record_id, tenant_id, leaf)
         select id, tenant_id, sha256('\\x00'::bytea || record) from palisade.secret_audit_logs where id = $1`,
        at,
      ],
    )
    expect(await found(name)).toEqual([`RecordForged ${at}`])
  })
})

describe('an edited or deleted batch', () => {
  it('is found when it is missing in the middle', async () => {
    const name = await tampered(['delete from palisade.audit_batches where first = 7'])
    expect(await found(name)).toEqual(['BatchDeleted 1/7..12'])
  })

  it('is found when nothing can be hashed with what stands in it, and does not end the check', async () => {
    const name = await tampered([
      `update palisade.audit_batches set frontier[1] = decode(repeat('ab', 70), 'hex') where last = $1`,
      2 * PER_BATCH,
    ])
    expect(await found(name)).toEqual(['BatchEdited 1/7..12'])
    const keys = [parseVerifier(verifierText(signer.name, signer.publicKey))]
    const login = inDatabase(db.sealer, name)
    const { findings } = await withClient(login, (client) => selfCheck(client, keys))
    expect(findings.map(({ code, where }) => `${code} ${where}`)).toEqual(['BatchEdited 1/7..12'])
  })

  it("is found when a tenant's numbers were changed", async () => {
    const name = await tampered([
      'update palisade.audit_seals set tenant_seq = tenant_seq + 1000 where seq = 9',
    ])
    expect(await found(name)).toEqual(['SealEdited 1/7..12'])
  })
})

describe('palisade audit', () => {
  const run = promisify(execFile)
  const cli = async (args: string[], env: Record<string, string> = {}) => {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    try {
      const { stdout } = await run(process.execPath, [main, 'audit', ...args], {
        env: { PATH: process.env['PATH'], ...env },
      })
      return { code: 0, stdout, stderr: '' }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, stdout, stderr }
    }
  }
  const url = (database: string, config = db.auditor) =>
    `postgres://${config.user}:${String(config.password)}@${db.host}:${db.port}/${database}`

  it('verifies an export offline with 0, and a broken one with 3 and the name of the break', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const at = (name: string) => join(folder, name)
    try {
      await writeFile(at('checkpoint'), checkpoints.at(-1) ?? '')
      await writeFile(
        at('gateway.log'),
        rows
          .map((r) => JSON.stringify({ audit: r.id, leaf: Buffer.from(r.leaf).toString('hex') }))
          .join('\n'),
      )
      const key = Buffer.from(MAC_KEY.secret).toString('base64url')
      await writeFile(
        at('mac-keys'),
        JSON.stringify({ keys: JSON.stringify([{ id: MAC_KEY.id, key }]) }),
      )
      const options = [
        ...['--key', verifierText(signer.name, signer.publicKey), '--checkpoint', at('checkpoint')],
        ...['--witness', at('gateway.log'), '--mac-keys', at('mac-keys')],
      ]
      const broken = await tampered([EDIT, id(7)])
      for (const [database, file] of [
        ['palisade', at('good')],
        [broken, at('broken')],
      ] as const) {
        const exported = await cli(['export', file], { PALISADE_DATABASE_URL: url(database) })
        expect(exported.code, exported.stderr).toBe(0)
      }
      const good = await cli(['verify', at('good'), ...options])
      expect(good.stderr).toBe('')
      expect(good).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^The audit log holds\./),
      })
      const bad = await cli(['verify', at('broken'), ...options])
      expect(bad).toMatchObject({ code: 3, stdout: expect.stringContaining('RecordEdited at 1/8') })
      // Nothing that is only for the house goes out: an export holds no key.
      expect(await readFile(at('good'), 'utf8')).not.toContain(key)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('proves a record, a tenant and the history to whoever has the key alone, and nothing after a change', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const at = (name: string) => join(folder, name)
    const key = ['--key', verifierText(signer.name, signer.publicKey)]
    try {
      await cli(['export', at('log')], { PALISADE_DATABASE_URL: url('palisade') })
      await writeFile(at('first'), checkpoints[0] ?? '')
      const wishes = [
        ['--record', id(7)],
        ['--tenant', TENANTS[1] ?? ''],
        ['--since', at('first')],
      ]
      for (const wish of wishes) {
        const proof = await cli(['prove', at('log'), ...wish])
        expect(proof.stderr).toBe('')
        await writeFile(at('proof'), proof.stdout)
        expect(await cli(['check', at('proof'), ...key])).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^The proof holds/),
        })
        await writeFile(at('proof'), proof.stdout.replace(/"(record|older)":".../, '"$1":"AAA'))
        expect((await cli(['check', at('proof'), ...key])).code, wish[0]).not.toBe(0)
      }
      expect(await cli(['prove', at('log'), '--record', id(FIRST_UNSEALED)])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^ERR_AUDIT_NO_PROOF.*not sealed yet/),
      })
      await writeFile(at('proof'), '{"type":"palisade-audit-records"}')
      expect(await cli(['check', at('proof'), ...key])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^ERR_CONFIG_INVALID.*proof.*palisade audit prove/),
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('verifies a database directly, and refuses a login that would see an empty log', async () => {
    const direct = await cli(['verify', '--database', '--json'], {
      PALISADE_DATABASE_URL: url('palisade'),
    })
    expect(JSON.parse(direct.stdout)).toMatchObject({ ok: true, counts: { sealed: SEALED } })
    const blind = await cli(['verify', '--database'], {
      PALISADE_DATABASE_URL: url('palisade', db.app),
    })
    expect(blind).toMatchObject({ code: 1, stderr: expect.stringContaining('palisade_auditor') })
  })

  it('says without a verb, and with a wish for help, how it is called', async () => {
    for (const args of [[], ['--help'], ['verify', 'x', '--help']]) {
      expect(await cli(args)).toMatchObject({
        ...{ code: 0, stderr: '' },
        stdout: expect.stringContaining('palisade audit verify <file>'),
      })
    }
  })

  it.each([
    [['verify']],
    [['verify', 'a', 'b']],
    [['verify', '--nonsense', 'x']],
    [['prove', 'x']],
    [['prove', 'x', '--record', 'a', '--tenant', 'b']],
    [['check', 'x']],
    [['burn']],
  ])('answers %j with exit code 2 and how to call it', async (args) => {
    expect(await cli(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^ERR_USAGE.*call it as: palisade audit/),
    })
  })
})

describe('the check that the sealer makes by itself, with its own rights', () => {
  const check = (database: string, by: readonly CheckpointSigner[] = [signer]) => {
    const keys = by.map(({ name, publicKey }) => parseVerifier(verifierText(name, publicKey)))
    const login = inDatabase(db.sealer, database)
    return withClient(login, (client) => selfCheck(client, keys))
  }
  const named = async (database: string) =>
    (await check(database)).findings.map(({ code, where }) => `${code} ${where}`)
  const DELETE = 'delete from palisade.secret_audit_logs where id = $1'

  it('holds an untouched log, and goes through all of it', async () => {
    expect(await check('palisade')).toEqual({ records: SEALED, batches: BATCHES, findings: [] })
  })

  it.each([
    ['an edited record', () => [[EDIT, id(7)]], [`RecordEdited 1/8..${SEALED}`]],
    ['a deleted record', () => [[DELETE, id(3)]], [`RecordDeleted 1/4..${SEALED}`]],
    [
      'an edited record whose seal was changed with it',
      () => [
        [EDIT, id(7)],
        [
          `update palisade.audit_seals s set leaf = sha256('\\x00'::bytea || l.record)
           from palisade.secret_audit_logs l where l.id = s.record_id and l.id = $1`,
          id(7),
        ],
      ],
      ['SealEdited 1/7..12'],
    ],
    [
      'a deleted seal',
      () => [['delete from palisade.audit_seals where record_id = $1', id(3)]],
      ['SealDeleted 1/1..6'],
    ],
    [
      'a deleted batch',
      () => [['delete from palisade.audit_batches where last = $1', 2 * PER_BATCH]],
      ['BatchDeleted 1/13..18'],
    ],
    [
      'records that were given another number within their tenant',
      () => [['update palisade.audit_seals set tenant_seq = 1000 where seq = $1', 9]],
      ['SealEdited 1/7..12'],
    ],
  ] satisfies [string, () => Statement[], string[]][])(
    'finds %s',
    async (_, statements, findings) => {
      expect(await named(await tampered(...statements()))).toEqual(findings)
    },
  )

  it('finds a log that somebody else signed', async () => {
    const { findings } = await check('palisade', [makeSigner()])
    expect(findings.map(({ code }) => code)).toEqual(Array(BATCHES).fill('SignatureInvalid'))
  })

  it('tells time and result to whoever measures, again and again', async () => {
    const metrics = new SealerMetrics()
    const stop = new AbortController()
    const database = await tampered([EDIT, id(2)])
    const running = runSelfChecks(
      {
        ...{ metrics, signers: [signer], clock: systemClock, everyMs: 10 },
        database: async () => inDatabase(db.sealer, database),
        logger: { info() {}, warn() {}, error() {} },
      },
      stop.signal,
    )
    const value = async (gauge: { get(): Promise<{ values: { value: number }[] }> }) =>
      (await gauge.get()).values[0]?.value
    await expect.poll(() => value(metrics.lastVerificationFindings), POLL).toBe(1)
    const first = (await value(metrics.lastVerification)) ?? 0
    await expect.poll(() => value(metrics.lastVerification), POLL).toBeGreaterThan(first)
    expect(await value(metrics.lastVerificationRecords)).toBe(SEALED)
    stop.abort()
    await running
  })

  it('is made again at once for whoever mended the log and says so', async () => {
    const metrics = new SealerMetrics()
    const stop = new AbortController()
    const rest = new Rest()
    const database = await tampered([EDIT, id(2)])
    const running = runSelfChecks(
      {
        ...{ metrics, signers: [signer], clock: systemClock, rest },
        database: async () => inDatabase(db.sealer, database),
        logger: { info() {}, warn() {}, error() {} },
      },
      stop.signal,
    )
    const findings = async () => (await metrics.lastVerificationFindings.get()).values[0]?.value
    await expect.poll(findings, POLL).toBe(1)
    await tamper(database, [UNDO, id(2)])
    rest.cutShort()
    await expect.poll(findings, POLL).toBe(0)
    stop.abort()
    await running
  })
})
