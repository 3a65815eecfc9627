import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { Rest } from '../../gateway/sealer/rest.ts'
import { selfCheck } from '../../gateway/sealer/self-check.ts'
import { runSelfChecks } from '../../gateway/sealer/self-checks.ts'
import { noteSigner } from '../support/note-signer.ts'
import { withClient } from '../support/postgres.ts'
import {
  BATCHES,
  EDIT,
  inDatabase,
  PER_BATCH,
  SEAL_AGAIN,
  SEALED,
  TamperedLog,
  TENANTS,
  type Statement,
  UNDO,
} from '../support/tampered-log.ts'

const POLL = { timeout: 30_000, interval: 20 }

let log: TamperedLog
beforeAll(async () => {
  log = await TamperedLog.start()
})
afterAll(() => log?.stop())

describe('the check that the sealer makes by itself, with its own rights', () => {
  const check = (database: string, key = log.key) => {
    const login = inDatabase(log.db.sealer, database)
    return withClient(login, (client) => selfCheck(client, [key.verifier]))
  }
  const named = async (database: string) =>
    (await check(database)).findings.map(({ code, where }) => `${code} ${where}`)
  const DELETE = 'delete from palisade.secret_audit_logs where id = $1'

  it('holds an untouched log, and goes through all of it', async () => {
    expect(await check('palisade')).toEqual({ records: SEALED, batches: BATCHES, findings: [] })
  })

  it.each([
    ['an edited record', () => [[EDIT, log.id(7)]], [`RecordEdited 1/8..${SEALED}`]],
    ['a deleted record', () => [[DELETE, log.id(3)]], [`RecordDeleted 1/4..${SEALED}`]],
    [
      'an edited record whose seal was changed with it',
      () => [
        [EDIT, log.id(7)],
        [SEAL_AGAIN, log.id(7)],
      ],
      ['SealEdited 1/7..12'],
    ],
    [
      'a record that was put under another tenant',
      () => [
        [
          'update palisade.secret_audit_logs set tenant_id = $2 where id = $1',
          ...[log.id(6), TENANTS[1]],
        ],
      ],
      [`RecordMisfiled 1/7..${SEALED}`],
    ],
    [
      'a deleted seal',
      () => [['delete from palisade.audit_seals where record_id = $1', log.id(3)]],
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
      expect(await named(await log.tampered(...statements()))).toEqual(findings)
    },
  )

  it("finds a record that was numbered among another tenant's before it was sealed", async () => {
    const name = await log.tampered([
      'update palisade.audit_pending set tenant_id = $2 where record_id = $1',
      ...[log.id(SEALED), TENANTS[1]],
    ])
    await log.seal(name)
    expect(await named(name)).toEqual([expect.stringMatching(/^RecordMisfiled /)])
  })

  it('finds a log that somebody else signed', async () => {
    const { findings } = await check('palisade', noteSigner(log.key.signer.name))
    expect(findings.map(({ code }) => code)).toEqual(Array(BATCHES).fill('SignatureInvalid'))
  })

  it('tells time and result to whoever measures, again and again', async () => {
    const metrics = new SealerMetrics()
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const database = await log.tampered([EDIT, log.id(2)])
    const running = runSelfChecks(
      {
        ...{ metrics, signers: [log.key.signer], clock: systemClock, everyMs: 10 },
        database: async () => inDatabase(log.db.sealer, database),
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
    onTestFinished(() => stop.abort())
    const rest = new Rest()
    const database = await log.tampered([EDIT, log.id(2)])
    const running = runSelfChecks(
      {
        ...{ metrics, signers: [log.key.signer], clock: systemClock, rest },
        database: async () => inDatabase(log.db.sealer, database),
        logger: { info() {}, warn() {}, error() {} },
      },
      stop.signal,
    )
    const findings = async () => (await metrics.lastVerificationFindings.get()).values[0]?.value
    await expect.poll(findings, POLL).toBe(1)
    await log.tamper(database, [UNDO, log.id(2)])
    rest.cutShort()
    await expect.poll(findings, POLL).toBe(0)
    stop.abort()
    await running
  })
})
