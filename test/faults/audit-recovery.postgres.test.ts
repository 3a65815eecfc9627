import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLATFORM_TENANT } from '#api/audit-event'
import { collect, type AuditLog, type LogLine } from '#core/audit/export'
import { parseLogCheckpoint } from '#core/audit/log-checkpoint'
import { proveRecords, proveTenant } from '#core/audit/proof'
import { verifyLog, type Evidence } from '#core/audit/verify'
import { verifyProof } from '#core/audit/verify-proof'
import { systemClock } from '#core/clock'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { openEpoch } from '../../gateway/sealer/open-epoch.ts'
import type { CheckpointSigner, CheckpointSink } from '../../gateway/sealer/ports.ts'
import { sealBatch } from '../../gateway/sealer/seal-batch.ts'
import { selfCheck } from '../../gateway/sealer/self-check.ts'
import { Sealer } from '../../gateway/sealer/sealer.ts'
import { exportLog } from '../../gateway/store/audit-export.ts'
import {
  approveRecovery,
  proposeRecovery,
  recoveryStatus,
} from '../../gateway/store/audit-recovery.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { until } from '../support/child.ts'
import { memoryPlace } from '../support/checkpoint-places.ts'
import { copyDatabase } from '../support/database-copy.ts'
import { noteSigner } from '../support/note-signer.ts'
import { runbookCommands } from '../support/runbook-commands.ts'
import { startPalisadeDatabase, withClient, type PalisadeDatabase } from '../support/postgres.ts'
import { auditRow, caller, MAC_KEY, readWish, reportedStep } from '../support/store-wishes.ts'

/** A database that was restored is behind what was signed: nobody is served until two people gave the rest up. */

const LOG = 'palisade.dev/audit/recovery'
const TENANT = randomUUID()
const SURVIVE = 6
const LOST = 5
const { signer, verifier } = noteSigner(LOG)
const records = { clock: systemClock, macKey: async () => MAC_KEY }
const quiet = { info() {}, warn() {}, error() {} }
const people = ['recoverer_1', 'recoverer_2'] as const
const witnessed: AuditRow[] = []
const someone = caller()

let db: PalisadeDatabase
/** The newest checkpoint outside, of a database that is gone. */
let outside: string
let folder: string

beforeAll(async () => {
  db = await startPalisadeDatabase()
  folder = await mkdtemp(join(tmpdir(), 'palisade-recovery-'))
  const made = await statementsOf('create role')
  expect(made).toHaveLength(people.length)
  for (const statement of made) await db.query(statement)
  await withStore('palisade', (store) => store.ensureUser(someone))
  witnessed.push(...(await write('palisade', SURVIVE)))
  await seal('palisade')
  const waiting = await write('palisade', 2)
  await copy('backup')
  witnessed.push(...waiting, ...(await write('palisade', LOST - 2)))
  outside = (await seal('palisade'))?.checkpoint ?? ''
  await writeFile(join(folder, 'checkpoint.note'), outside)
})
afterAll(async () => {
  await db?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function withStore<T>(
  database: string,
  use: (store: PostgresStore) => Promise<T>,
): Promise<T> {
  const store = new PostgresStore({ ...inDatabase(db.app, database), max: 1 })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const write = (database: string, count: number) =>
  withStore(database, async (store) => {
    const rows = Array.from({ length: count }, () => auditRow(TENANT))
    for (const row of rows) await store.appendAudit(null, row)
    return rows
  })

const asSealer = <T>(database: string, use: (client: pg.Client) => Promise<T>) =>
  withClient(inDatabase(db.sealer, database), use)

const seal = (database: string, by: CheckpointSigner = signer) =>
  asSealer(database, (client) =>
    sealBatch(client, { log: LOG, signers: [by], limit: 1_000, records }),
  )

const lostEnd = () => parseLogCheckpoint(textOf(outside))

/** The SQL that a command of the page sends to the server: kubectl stands for its standard input, or its last argument. */
async function statementsOf(sought: string): Promise<readonly string[]> {
  const command = runbookCommands().find(
    ({ page, section, text }) =>
      page === 'AuditChainBroken' && section === 'Mitigation' && text.includes(sought),
  )
  const kubectl = 'kubectl() { if [[ $* == *" -i "* ]]; then cat; else echo "${@: -1}"; fi; }'
  const ran = ['-c', `${kubectl}\n${command?.text ?? 'false'}`]
  const { stdout } = await promisify(execFile)('bash', ran, { cwd: folder })
  return stdout.trim().split('\n')
}

/** As the page keeps it. */
const passwordOf = async (person: string) =>
  (await readFile(join(folder, `${person}.password`), 'utf8')).trim()

const as = async <T>(person: string, database: string, use: (client: pg.Client) => Promise<T>) => {
  const login = { user: person, password: await passwordOf(person) }
  return withClient({ ...inDatabase(db.superuser, database), ...login }, use)
}

const proposeAs = (database: string, person: string = people[0], lost = lostEnd()) =>
  as(person, database, (client) => proposeRecovery(client, lost, 'INC-2041'))
const approveAs = (database: string, id: string, person: string = people[1], lost = lostEnd()) =>
  as(person, database, (client) => approveRecovery(client, id, lost))

const inDatabase = (config: pg.ClientConfig, database: string) => ({ ...config, database })

const copy = async (name: string, from?: string) => (await copyDatabase(db, name, from)).database

let copies = 0
/** A database that was restored from the backup; with `found`, the sealer has already said so. */
async function restored(found = true): Promise<string> {
  const name = await copy(`restored_${(copies += 1)}`, 'backup')
  if (found) await runSealer(name, [memoryPlace('vault', outside)], isHalted)
  return name
}

const isHalted = (sealer: Sealer) => /ERR_AUDIT_BEHIND_CHECKPOINT/.test(sealer.ready().reason)

/** A sealer until it is where the case wants it. */
async function runSealer(
  database: string,
  sinks: readonly CheckpointSink[],
  isThere: (sealer: Sealer) => boolean,
  by: CheckpointSigner = signer,
): Promise<void> {
  const sealer = new Sealer({
    database: async () => inDatabase(db.sealer, database),
    ...{ log: LOG, signers: [by], sinks, records, metrics: new SealerMetrics() },
    ...{ logger: quiet, clock: systemClock },
    timing: { idleMs: 5, publishEveryMs: 1 },
  })
  const stop = new AbortController()
  const ended = sealer.run(stop.signal)
  try {
    await until('the sealer', 30_000, async () => isThere(sealer))
  } finally {
    stop.abort()
    await ended
  }
}

async function exported(database: string): Promise<AuditLog> {
  const lines: LogLine[] = []
  await withClient(inDatabase(db.auditor, database), async (client) => {
    for await (const line of exportLog(client, new Date())) lines.push(line)
  })
  return collect(lines)
}

const evidence = (over: Partial<Evidence> = {}): Evidence => ({
  verifiers: [verifier],
  checkpoints: [outside],
  witness: witnessed.map(({ id, leaf }) => ({ id, leaf: Buffer.from(leaf) })),
  macKeys: new Map([[MAC_KEY.id, MAC_KEY.secret]]),
  ...over,
})

const codes = async (database: string, over: Partial<Evidence> = {}) =>
  verifyLog(await exported(database), evidence(over)).findings.map((f) => `${f.code} ${f.where}`)

const LOST_RANGE = `1/${SURVIVE + 1}..${SURVIVE + LOST}`
const refusal = (code: string) => ({ code })

describe('a restored database that is behind the checkpoint outside', () => {
  let name: string
  beforeAll(async () => {
    name = await restored()
  })

  it('serves nobody who would leave a record', async () => {
    await withStore(name, async (store) => {
      const behind = refusal('ERR_AUDIT_BEHIND_CHECKPOINT')
      await expect(store.readSecret(someone, readWish(someone, 'x'))).rejects.toMatchObject(behind)
      await expect(store.findHead(someone, 'x')).rejects.toMatchObject(behind)
      await expect(store.ensureUser(caller())).rejects.toMatchObject(behind)
      await expect(store.ingestAudit('operator', [reportedStep()])).rejects.toMatchObject(behind)
      // That somebody was refused is recorded, and sealed in the epoch to come.
      await store.appendAudit(null, auditRow(PLATFORM_TENANT))
    })
  })

  it('takes a proposal from a login of the role alone, and never from the owner or a superuser', async () => {
    await db.query(`create role carl login password 'carl'`)
    const unfit = refusal('ERR_AUDIT_RECOVERER_UNFIT')
    for (const login of [{ user: 'carl', password: 'carl' }, db.superuser, db.migrator, db.app]) {
      const client = { ...login, host: db.host, port: db.port, database: name }
      await expect(
        withClient(client, (each) => proposeRecovery(each, lostEnd(), 'x')),
        client.user,
      ).rejects.toMatchObject(unfit)
    }
  })

  it('takes none for another checkpoint than the newest outside', async () => {
    const older = { ...lostEnd(), size: lostEnd().size - 1 }
    await expect(proposeAs(name, people[0], older)).rejects.toMatchObject(
      refusal('ERR_AUDIT_RECOVERY_VOID'),
    )
  })

  it('is not opened by one person: the database refuses the same login twice', async () => {
    const { id } = await proposeAs(name)
    await expect(approveAs(name, id, people[0])).rejects.toMatchObject(
      refusal('ERR_AUDIT_RECOVERER_UNFIT'),
    )
    // Not even the owner of the table can write it down so.
    const forged =
      'update palisade.audit_recoveries set approved_by = proposed_by, approved_at = now()'
    await expect(
      withClient(inDatabase(db.superuser, name), (client) => client.query(forged)),
    ).rejects.toMatchObject({ code: '23514' })
    for (const login of [db.app, db.sealer]) {
      await expect(
        withClient(inDatabase(login, name), (client) =>
          client.query(`update palisade.audit_recoveries set approved_by = 'carl'`),
        ),
      ).rejects.toMatchObject({ code: '42501' })
    }
    expect(
      await asSealer(name, (client) => openEpoch(client, lostEnd(), options())),
    ).toBeUndefined()
  })

  it('is not opened by a proposal that expired or that was made for another end', async () => {
    const [late, moved] = [await proposeAs(name), await proposeAs(name)]
    await withClient(inDatabase(db.superuser, name), async (client) => {
      await client.query(
        `update palisade.audit_recoveries set expires_at = now() - interval '1 s' where id = $1`,
        [late.id],
      )
      await client.query(
        'update palisade.audit_recoveries set head_size = head_size - 1 where id = $1',
        [moved.id],
      )
    })
    for (const { id } of [late, moved]) {
      await expect(approveAs(name, id)).rejects.toMatchObject(refusal('ERR_AUDIT_RECOVERY_VOID'))
    }
  })

  it('is called a restored dump by the verifier as long as nobody has decided', async () => {
    expect(await codes(name, { witness: [] })).toEqual([`RestoredDump ${LOST_RANGE}`])
  })
})

const options = (by: CheckpointSigner = signer) => ({ log: LOG, signers: [by], records })

describe('a database whose state somebody took away', () => {
  it('has no status, and says who finds one again', async () => {
    const name = await restored(false)
    await withClient(inDatabase(db.superuser, name), (client) =>
      client.query('delete from palisade.audit_state'),
    )
    await expect(as(people[0], name, recoveryStatus)).rejects.toMatchObject({
      code: 'ERR_AUDIT_RECOVERY_VOID',
      remedy: expect.stringMatching(/^start the sealer/),
    })
  })
})

describe('two people', () => {
  let name: string
  const places = [memoryPlace('vault'), memoryPlace('elsewhere')]

  async function inShell(person: string, command: string): Promise<{ id: string }> {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    const password = await passwordOf(person)
    const url = `postgres://${person}:${password}@${db.host}:${db.port}/${name}`
    const { PATH, NODE_COMPILE_CACHE } = process.env
    const env = { PATH, NODE_COMPILE_CACHE, PALISADE_DATABASE_URL: url }
    const script = `palisade() { ${process.execPath} ${main} "$@"; }\n${command}`
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, cwd: folder })
    return JSON.parse(stdout) as { id: string }
  }

  it('open the next epoch by the commands of the runbook', async () => {
    name = await restored()
    const commands = runbookCommands()
      .map(({ text }) => text)
      .filter((text) => text.startsWith('palisade audit recover'))
    expect(commands).toHaveLength(3)
    const [status = '', propose = '', approve = ''] = commands
    const { id } = await inShell(people[0], propose)
    await inShell(people[1], approve.replace('<id>', id))
    for (const place of places) place.note = outside
    await runSealer(name, places, () =>
      places.every(({ note: there }) => /epoch-2\n3\n/.test(there ?? '')),
    )
    expect(await inShell(people[0], status)).toMatchObject({ state: 'sealing', lost: null })
    // The same wish again finds nothing to do.
    await expect(proposeAs(name)).rejects.toMatchObject(refusal('ERR_AUDIT_RECOVERY_VOID'))
  })

  it('have their names in the first record of it, and everybody is served again', async () => {
    const log = await exported(name)
    const first = log.seals.find(({ epoch, seq }) => epoch === 2 && seq === 1)
    const record = log.records.find(({ id }) => id === first?.id)
    expect(JSON.parse(record?.record.toString() ?? '')).toMatchObject({
      eventType: 'audit.epoch-opened',
      details: {
        lost: LOST_RANGE,
        lostRoot: Buffer.from(lostEnd().root).toString('base64'),
        proposedBy: people[0],
        approvedBy: people[1],
        reference: 'INC-2041',
      },
    })
    await withStore(name, (store) => store.findHead(someone, 'x'))
  })

  it('leave a log that holds: the verifier states the loss and finds nothing', async () => {
    await write(name, 3)
    await seal(name)
    const log = await exported(name)
    const result = verifyLog(log, evidence({ checkpoints: [outside, places[0]?.note ?? ''] }))
    expect(result).toMatchObject({
      ok: true,
      findings: [],
      losses: [
        { epoch: 2, range: LOST_RANGE, missing: LOST - 2, decision: { people: [...people] } },
      ],
    })
    // Of what the witness saw it claims no more than what is there.
    expect(result.proves.join()).toContain(`but for ${LOST - 2} that a restore lost`)
    // The database says whose login it was, and its administrator may be both.
    expect(result.doesNotProve).toContainEqual(
      expect.stringMatching(new RegExp(`^that ${people.join(' and ')} are two people.*epoch 2`)),
    )
    // Numbers of a tenant begin anew in the epoch, and what had waited in the backup stands there.
    const own = log.seals.filter(({ tenant, epoch }) => tenant === TENANT && epoch === 2)
    expect(own.map(({ tenantSeq }) => tenantSeq)).toEqual([1, 2, 3, 4, 5])
    expect(own.map(({ id }) => id)).toEqual(
      expect.arrayContaining(witnessed.slice(SURVIVE, SURVIVE + 2).map(({ id }) => id)),
    )
  })

  it('do not excuse a record that somebody takes away behind the opening', async () => {
    const [late] = await write(name, 1)
    const isLate = ({ id }: { readonly id: string }) => id === late?.id
    const log = await exported(name)
    const without = {
      records: log.records.filter((each) => !isLate(each)),
      pending: log.pending.filter((each) => !isLate(each)),
    }
    const seen = [...witnessed, ...(late ? [late] : [])]
    const witness = seen.map(({ id, leaf }) => ({ id, leaf: Buffer.from(leaf) }))
    const { findings } = verifyLog({ ...log, ...without }, evidence({ witness }))
    expect(findings.map(({ code, where }) => `${code} ${where}`)).toEqual([
      `UnsealedDeleted ${late?.id}`,
    ])
    await seal(name)
  })

  it('leave records of both epochs that can be proven', async () => {
    const log = await exported(name)
    const ids = [log.seals.at(0)?.id ?? '', log.seals.at(-1)?.id ?? '']
    expect(verifyProof(proveRecords(log, ids), [verifier])).toMatchObject({ ok: true })
    expect(verifyProof(proveTenant(log, TENANT), [verifier])).toMatchObject({ ok: true })
  })

  it('do not cover what goes beyond what they gave up', async () => {
    await write('palisade', 1)
    const further = (await seal('palisade'))?.checkpoint ?? ''
    expect(await codes(name, { checkpoints: [further] })).toEqual([
      expect.stringMatching(/^(RestoredDump|TailCut) 1\//),
    ])
  })

  it('explain nothing when the first record of the epoch is another one', async () => {
    const log = await exported(name)
    const first = log.seals.find(({ epoch }) => epoch === 2)?.id
    const records = log.records.map((each) => {
      const text = each.record.toString().replace('epoch-opened', 'key-rotated')
      return each.id === first ? { ...each, record: Buffer.from(text) } : each
    })
    const found = verifyLog({ ...log, records }, evidence()).findings.map(({ code }) => code)
    expect(found).toEqual(expect.arrayContaining(['EpochUnexplained', 'RecordEdited']))
  })

  it('explain nothing when more of the epoch before is missing than they saw', async () => {
    const log = await exported(name)
    const seals = log.seals.filter(({ epoch }) => epoch === 2)
    const batches = log.batches.filter(({ epoch }) => epoch === 2)
    const result = verifyLog({ ...log, seals, batches }, evidence({ checkpoints: [] }))
    expect(result.findings.map(({ code, where }) => `${code} ${where}`)).toEqual([
      `TailCut 1/1..${SURVIVE}`,
    ])
  })
})

describe('an opening', () => {
  const decided = async (): Promise<string> => {
    const name = await restored()
    const { id } = await proposeAs(name)
    await approveAs(name, id)
    return name
  }

  it('that is killed in the middle leaves nothing, and is made by the next sealer', async () => {
    const name = await decided()
    const killed: CheckpointSigner = {
      ...signer,
      sign: async (text) => {
        await db.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'palisade_sealer_a'`,
          [name],
        )
        return signer.sign(text)
      },
    }
    const client = new pg.Client(inDatabase(db.sealer, name))
    client.on('error', () => undefined)
    await client.connect()
    await expect(openEpoch(client, lostEnd(), options(killed))).rejects.toThrow()
    expect((await exported(name)).batches.filter(({ epoch }) => epoch === 2)).toEqual([])
    const place = memoryPlace('vault', outside)
    await runSealer(name, [place], () => /epoch-2\n/.test(place.note ?? ''))
    expect(await codes(name)).toEqual([])
    // The sealer's own check goes over the border of epochs as well.
    const keys = [verifier]
    const { findings } = await asSealer(name, (each) => selfCheck(each, keys))
    expect(findings).toEqual([])
  })

  it('that was committed and not published is published by the next sealer, whichever place it finds behind', async () => {
    const name = await decided()
    const opened = await asSealer(name, (client) => openEpoch(client, lostEnd(), options()))
    expect(opened).toMatchObject({ epoch: 2, lost: LOST_RANGE })
    const older = (await exported(name)).batches.findLast(({ epoch }) => epoch === 1)?.checkpoint
    const places = [memoryPlace('vault', outside), memoryPlace('elsewhere', older)]
    await runSealer(name, places, () => places.every(({ note }) => /epoch-2\n/.test(note ?? '')))
  })

  it('is made once by two sealers at the same moment', async () => {
    const name = await decided()
    const once = () => asSealer(name, (client) => openEpoch(client, lostEnd(), options()))
    const tried = await Promise.allSettled([once(), once(), once()])
    const done = tried.filter((each) => each.status === 'fulfilled' && each.value !== undefined)
    expect(done).toHaveLength(1)
    expect((await exported(name)).batches.filter(({ epoch }) => epoch === 2)).toHaveLength(1)
    expect(await once()).toBeUndefined()
  })
})

describe('a key of checkpoints that has a newer version', () => {
  const newer = noteSigner(LOG)
  const next: CheckpointSigner = { ...newer.signer, earlier: [signer] }
  let name: string

  it('hands over by a record whose checkpoint both have signed, once', async () => {
    name = await copy(`rotated_${(copies += 1)}`)
    const tail = await sizeOf(name)
    const handedOver = await seal(name, next)
    expect(parseLogCheckpoint(textOf(handedOver?.checkpoint ?? ''))).toMatchObject({
      size: tail + 1,
      nextKey: newer.text,
    })
    expect(await seal(name, next)).toBeUndefined()
    await write(name, 2)
    await seal(name, next)
    const old = await exported(name)
    const result = verifyLog(old, evidence({ witness: [] }))
    expect(result).toMatchObject({
      ok: true,
      keys: [{ to: `1/${tail + 1}` }, { from: `1/${tail + 1}` }],
    })
  })

  it('is learned from the log and from a proof by whoever has the old key alone', async () => {
    const log = await exported(name)
    const newest = log.batches.at(-1)?.checkpoint ?? ''
    expect(verifyLog(log, evidence({ checkpoints: [outside, newest] })).ok).toBe(true)
    const proof = proveRecords(log, [log.seals.at(-1)?.id ?? ''])
    expect(verifyProof(proof, [verifier])).toMatchObject({ ok: true })
    expect(verifyProof({ ...proof, handOvers: [] }, [verifier])).toMatchObject({
      ok: false,
    })
  })

  it('is trusted by nobody without its record', async () => {
    const log = await exported(name)
    const records = log.records.map((each) => ({
      ...each,
      record: Buffer.from(each.record.toString().replace('audit.key-rotated', 'secret.read')),
    }))
    const found = verifyLog({ ...log, records }, evidence()).findings.map(({ code }) => code)
    expect(found).toEqual(expect.arrayContaining(['SignatureInvalid', 'RecordEdited']))
  })

  it('ends the old one: what that signs behind the hand-over is nobody’s', async () => {
    await write(name, 1)
    await expect(seal(name)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    const log = await exported(name)
    const batches = log.batches.filter(({ checkpoint }) => !checkpoint.includes('next-key'))
    const found = verifyLog({ ...log, batches }, evidence()).findings.map(({ code }) => code)
    expect(found).toContain('SignatureInvalid')
  })

  const sizeOf = async (database: string) => (await exported(database)).batches.at(-1)?.last ?? 0
})

describe('the logins of two people', () => {
  it('are dropped by the command at the end of the page', async () => {
    const [statement = ''] = await statementsOf('drop role')
    await db.query(statement)
    expect(
      await db.query('select rolname from pg_roles where rolname = any ($1)', [people]),
    ).toEqual([])
  })
})

const textOf = (note: string) => note.slice(0, note.lastIndexOf('\n\n') + 1)

describe('a head that no key of the log signed', () => {
  it('is not gone on from: an epoch that somebody put in stops the sealer', async () => {
    const name = await copy(`forged_${(copies += 1)}`)
    await write(name, 1)
    await withClient(inDatabase(db.superuser, name), (client) =>
      client.query(
        `insert into palisade.audit_batches
           (epoch, first, last, root, prev_root, frontier, numbering_frontier, counter, checkpoint)
         select 2, 1, 1, sha256('x'), root, array[sha256('x')], array[sha256('y')], counter, checkpoint
         from palisade.audit_batches order by last desc limit 1`,
      ),
    )
    await expect(seal(name)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
  })
})
