import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvidence } from '../../cli/audit-evidence.ts'
import type { NoteSigner } from '../../core/audit/note.ts'
import type { Evidence } from '../../core/audit/verify.ts'
import { makeLog } from '../../gateway/observe/log.ts'
import { witness } from '../../gateway/observe/witness.ts'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import { selfCheck } from '../../gateway/sealer/self-check.ts'
import { noteSigner } from '../support/note-signer.ts'
import { withClient } from '../support/postgres.ts'
import { runbookCommands } from '../support/runbook-commands.ts'
import {
  BATCHES,
  EDIT,
  inDatabase,
  PER_BATCH,
  SEAL_AGAIN,
  SEALED,
  TamperedLog,
  TENANTS,
  UNSEALED,
} from '../support/tampered-log.ts'

/** Every way of tampering that an administrator of the database has, each with the name the verifier must give it. */

let log: TamperedLog
beforeAll(async () => {
  log = await TamperedLog.start()
})
const folders: string[] = []
afterAll(async () => {
  await log?.stop()
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })))
})

const found = async (database: string, overrides: Partial<Evidence> = {}) =>
  (await log.verify(database, overrides)).findings.map(({ code, where }) => `${code} ${where}`)

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

const FIRST_UNSEALED = SEALED
const SWAP = `update palisade.secret_audit_logs l
  set record = o.record, mac = o.mac from palisade.secret_audit_logs o
  where (l.id = $1 and o.id = $2) or (l.id = $2 and o.id = $1)`

describe('an untouched log', () => {
  it('holds, and says what that proves', async () => {
    const result = await log.verify('palisade')
    expect(result).toMatchObject({
      ok: true,
      findings: [],
      counts: { records: SEALED + UNSEALED, sealed: SEALED, unsealed: UNSEALED, batches: BATCHES },
      doesNotProve: [],
    })
    expect(result.proves).toHaveLength(5)
  })

  it('holds against every checkpoint that was ever outside', async () => {
    expect(await found('palisade', { checkpoints: log.checkpoints })).toEqual([])
  })

  it('says what it does not prove when nothing from outside is given', async () => {
    const result = await log.verify('palisade', {
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
    expect(await found(await log.tampered([EDIT, log.id(7)]))).toEqual(['RecordEdited 1/8'])
  })

  it('is found when it was not sealed yet', async () => {
    const at = log.id(FIRST_UNSEALED)
    expect(await found(await log.tampered([EDIT, at]))).toEqual([`RecordEdited ${at}`])
  })

  it('is found when the hash that waits to be sealed was changed with it: by the witness, or by the MAC', async () => {
    const at = log.id(FIRST_UNSEALED)
    const name = await log.tampered(
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
    await log.seal(name)
    expect(await found(name, { witness: [] })).toEqual([`RecordForged 1/${SEALED + 1}`])
  })

  it('is found when its seal was changed with it', async () => {
    const name = await log.tampered([EDIT, log.id(7)], [SEAL_AGAIN, log.id(7)])
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
    await withClient(inDatabase(log.db.superuser, name), (client) => client.query(text))
    return found(name)
  }

  it('makes the log hold again', async () => {
    const name = await log.tampered([EDIT, log.id(7)])
    expect(await putBack(name, log.rows[7])).toEqual([])
    await expect(
      withClient(inDatabase(log.db.superuser, name), (client) => client.query(EDIT, [log.id(7)])),
    ).rejects.toThrow('audit tables only grow')
  })

  it('is left as it is where the bytes are not those that were sealed', async () => {
    const name = await log.tampered([EDIT, log.id(7)])
    expect(await putBack(name, log.rows[7], log.rows[8])).toEqual(['RecordEdited 1/8'])
  })
})

describe('a deleted record', () => {
  it('is found when it was sealed', async () => {
    const name = await log.tampered([
      'delete from palisade.secret_audit_logs where id = $1',
      log.id(3),
    ])
    expect(await found(name)).toEqual(['RecordDeleted 1/4'])
  })

  it('is found when its seal went with it', async () => {
    const name = await log.tampered(
      ['delete from palisade.secret_audit_logs where id = $1', log.id(3)],
      ['delete from palisade.audit_seals where record_id = $1', log.id(3)],
    )
    expect(await found(name, { witness: [] })).toEqual(['SealDeleted 1/4'])
  })

  it('is found when it was not sealed yet', async () => {
    const at = log.id(FIRST_UNSEALED + 1)
    const name = await log.tampered(['delete from palisade.secret_audit_logs where id = $1', at])
    expect(await found(name, { witness: [] })).toEqual([`UnsealedDeleted ${at}`])
    // The sealer seals what was committed, so the hole shows for good.
    await log.seal(name)
    expect(await found(name, { witness: [] })).toEqual([`RecordDeleted 1/${SEALED + 2}`])
  })

  it('is found by the witness when it was not sealed yet and nothing in the database remembers it', async () => {
    const at = log.id(FIRST_UNSEALED + 1)
    const name = await log.tampered(
      ['delete from palisade.secret_audit_logs where id = $1', at],
      ['delete from palisade.audit_pending where record_id = $1', at],
    )
    expect(await found(name)).toEqual([`UnsealedDeleted ${at}`])
    const blind = await log.verify(name, { witness: [] })
    expect(blind.ok).toBe(true)
    expect(blind.doesNotProve.join()).toContain('taken away before it was sealed')
    // The lines as the gateway wrote them and a shipper found them on the node.
    const shipped = await readEvidence({ ...NO_FILES, witness: [await containerLog(log.rows)] })
    expect(await found(name, { witness: shipped.witness })).toEqual([`UnsealedDeleted ${at}`])
    expect(await found('palisade', { witness: shipped.witness })).toEqual([])
  })
})

describe('swapped records', () => {
  it('are found when they were sealed', async () => {
    const name = await log.tampered([SWAP, log.id(2), log.id(15)])
    expect(await found(name)).toEqual([
      expect.stringMatching(/^RecordsSwapped 1\/(3 and 1\/16|16 and 1\/3)$/),
    ])
  })

  it('are found when they were not sealed yet', async () => {
    const name = await log.tampered([SWAP, log.id(FIRST_UNSEALED), log.id(FIRST_UNSEALED + 1)])
    expect(await found(name)).toEqual([expect.stringContaining('RecordsSwapped')])
  })

  it('are found when their seals were swapped, so that each still fits its own', async () => {
    const name = await log.tampered(
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
    const name = await log.tampered(
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
    expect(await found(await log.tampered(...cut))).toEqual([`TailCut 1/${LAST + 1}..${SEALED}`])
  })

  it('is found without any checkpoint from outside when only seals or only the batch went', async () => {
    for (const statement of cut) {
      const name = await log.tampered(statement)
      const codes = (await log.verify(name, { checkpoints: [] })).findings.map(({ code }) => code)
      expect(codes).toEqual(['TailCut'])
    }
  })

  it('says that it cannot be seen without a checkpoint from outside when everything went in step', async () => {
    const name = await log.tampered(
      [
        `delete from palisade.secret_audit_logs where id in (select record_id from palisade.audit_seals where seq > $1)`,
        LAST,
      ],
      ...cut,
    )
    const blind = await log.verify(name, { checkpoints: [], witness: [] })
    expect(blind.ok).toBe(true)
    expect(blind.doesNotProve.join()).toContain('newest database')
  })
})

describe('an old dump', () => {
  it('is found when it was restored, and not called tampering', async () => {
    expect(await found('yesterday')).toEqual([`RestoredDump 1/${LAST + 1}..${SEALED}`])
  })

  it('is found when sealing went on from it, as another history', async () => {
    const name = await log.copy('yesterday')
    await log.write(name, 9)
    await log.seal(name)
    const codes = (await log.verify(name, { witness: [] })).findings.map(({ code }) => code)
    expect(codes).toEqual(['Forked'])
  })
})

describe('a rewritten history', () => {
  /** Everything is taken out of the log and sealed again, in the same order, after an edit. */
  async function rewritten(by: NoteSigner): Promise<string> {
    const name = await log.tampered(
      ['update palisade.audit_pending set since = now()'],
      [EDIT, log.id(1)],
      ['delete from palisade.audit_batches'],
      [
        `insert into palisade.audit_pending (record_id, tenant_id, leaf, since)
         select l.id, l.tenant_id, sha256('\\x00'::bytea || l.record), 'epoch'::timestamptz + s.seq * interval '1 s'
         from palisade.audit_seals s join palisade.secret_audit_logs l on l.id = s.record_id`,
      ],
      ['delete from palisade.audit_seals'],
    )
    await log.seal(name, by)
    return name
  }

  it('is found by its signature when another key sealed it', async () => {
    const name = await rewritten(noteSigner(log.key.signer.name).signer)
    const codes = (await log.verify(name, { witness: [], checkpoints: [] })).findings.map(
      (f) => f.code,
    )
    expect(codes).toEqual(['SignatureInvalid', 'RecordForged'])
  })

  it('is found by a checkpoint from outside even when the key of the log itself sealed it', async () => {
    const name = await rewritten(log.key.signer)
    const none = { witness: [], macKeys: new Map<string, Uint8Array>() }
    expect(await found(name, none)).toEqual([`Forked 1/${SEALED}`])
  })
})

describe('an inserted record', () => {
  const insert = `insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
    select $1, tenant_id, format_version, writer, mac_key_id, record, mac from palisade.secret_audit_logs where id = $2`

  it('is found when it was put past the queue', async () => {
    const at = randomUUID()
    expect(await found(await log.tampered([insert, at, log.id(0)]))).toEqual([
      `RecordUnaccounted ${at}`,
    ])
  })

  it('is found by its MAC when it went through the queue', async () => {
    const at = randomUUID()
    const name = await log.tampered(
      [insert, at, log.id(0)],
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

describe('a misfiled record', () => {
  it('is found when it was put under another tenant, where no search of its own finds it', async () => {
    const name = await log.tampered([
      'update palisade.secret_audit_logs set tenant_id = $2 where id = $1',
      ...[log.id(6), TENANTS[1]],
    ])
    expect(await found(name)).toEqual(['RecordMisfiled 1/7'])
    expect(await found(name, { macKeys: new Map() })).toEqual(['RecordMisfiled 1/7'])
  })

  it("is found when it was numbered among another tenant's before it was sealed, with its row as it was", async () => {
    const first = log.id(FIRST_UNSEALED)
    const name = await log.tampered([
      'update palisade.audit_pending set tenant_id = $2 where record_id = $1',
      ...[first, TENANTS[1]],
    ])
    await log.seal(name)
    expect(await found(name, { checkpoints: [] })).toEqual([
      expect.stringMatching(/^RecordMisfiled/),
    ])
  })

  it('is found when two stand under the id of each other, with their seals', async () => {
    const [a, b] = [log.id(2), log.id(8)]
    const swap = (table: string, column: string) => {
      const put = (from: string, to: string) =>
        [`update palisade.${table} set ${column} = $2 where ${column} = $1`, from, to] as const
      const nobody = randomUUID()
      return [put(a, nobody), put(b, a), put(nobody, b)]
    }
    const name = await log.tampered(
      ...swap('secret_audit_logs', 'id'),
      ...swap('audit_seals', 'record_id'),
    )
    expect(await found(name, { witness: [] })).toEqual(['RecordMisfiled 1/3', 'RecordMisfiled 1/9'])
  })

  it('is found when it lies under a key that nobody has, so that its MAC is not asked', async () => {
    const name = await log.tampered([
      `update palisade.secret_audit_logs set mac_key_id = 'nobody' where id = $1`,
      log.id(5),
    ])
    expect(await found(name)).toEqual(['RecordMisfiled 1/6'])
  })
})

describe('an edited or deleted batch', () => {
  it('is found when it is missing in the middle', async () => {
    const name = await log.tampered(['delete from palisade.audit_batches where first = 7'])
    expect(await found(name)).toEqual(['BatchDeleted 1/7..12'])
  })

  it('is found when nothing can be hashed with what stands in it, and does not end the check', async () => {
    const name = await log.tampered([
      `update palisade.audit_batches set frontier[1] = decode(repeat('ab', 70), 'hex') where last = $1`,
      2 * PER_BATCH,
    ])
    expect(await found(name)).toEqual(['BatchEdited 1/7..12'])
    const login = inDatabase(log.db.sealer, name)
    const { findings } = await withClient(login, (client) => selfCheck(client, [log.key.verifier]))
    expect(findings.map(({ code, where }) => `${code} ${where}`)).toEqual(['BatchEdited 1/7..12'])
  })

  it("is found when a tenant's numbers were changed", async () => {
    const name = await log.tampered([
      'update palisade.audit_seals set tenant_seq = tenant_seq + 1000 where seq = 9',
    ])
    expect(await found(name)).toEqual(['SealEdited 1/7..12'])
  })
})
