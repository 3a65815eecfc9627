import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { collect, type LogLine } from '../../core/audit/export.ts'
import { verifyLog } from '../../core/audit/verify.ts'
import { copyDatabase } from '../../test/support/database-copy.ts'
import { interrupted } from '../../test/support/interrupted-client.ts'
import { noteSigner } from '../../test/support/note-signer.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { auditRow } from '../../test/support/store-wishes.ts'
import { exportLog } from '../store/audit-export.ts'
import { PostgresStore } from '../store/postgres-store.ts'
import { sealBatch } from './seal-batch.ts'

/** Two sealers on one log, each stopped at the worst moment; by chance they would meet there once in a million. */

const LOG = 'palisade.dev/audit/two'
const { signer, verifier } = noteSigner(LOG)
const options = { log: LOG, signers: [signer], limit: 100 }

let server: PalisadeDatabase
let db: PalisadeDatabase
let one: pg.Client
let two: pg.Client
let cases = 0

beforeAll(async () => {
  server = await startPalisadeDatabase()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  db = await copyDatabase(server, `case_${(cases += 1)}`)
  // Whoever waits for the other here would wait for ever.
  const impatient = { ...db.sealer, options: '-c lock_timeout=2000' }
  ;[one, two] = [new pg.Client(impatient), new pg.Client(impatient)]
  await Promise.all([one.connect(), two.connect()])
})
afterEach(() => Promise.all([one?.end(), two?.end()]))

const tenant = randomUUID()
async function write(count: number): Promise<void> {
  const store = new PostgresStore({ ...db.app, max: 1 })
  for (let i = 0; i < count; i += 1) await store.appendAudit(null, auditRow(tenant))
  await store.close()
}

const seal = (client: pg.ClientBase, over: Partial<typeof options> = {}, lock = true) =>
  sealBatch(client, { ...options, ...over }, lock)

async function expectOneHistory(records: number): Promise<void> {
  const lines: LogLine[] = []
  await withClient(db.auditor, async (client) => {
    for await (const line of exportLog(client, new Date())) lines.push(line)
  })
  const nothing = { checkpoints: [], witness: [], macKeys: new Map<string, Uint8Array>() }
  const { findings, counts } = verifyLog(collect(lines), { verifiers: [verifier], ...nothing })
  expect({ findings, sealed: counts.sealed }).toEqual({ findings: [], sealed: records })
}

describe('two sealers', () => {
  it('refuse the batch of the one that read the head before the other appended', async () => {
    await write(2)
    const late = interrupted(one, /from palisade\.audit_batches/, async () => {
      await seal(two)
      await write(2)
    })
    // Without the lock: a lock can be lost, the keys of the tables cannot.
    await expect(seal(late, {}, false)).rejects.toMatchObject({ code: '23505' })
    await seal(one)
    await expectOneHistory(4)
  })

  it('work one at a time, on an empty log as well', async () => {
    for (const sealed of [3, 6]) {
      await write(2)
      let beside: unknown
      const busy = {
        ...signer,
        async sign(text: Uint8Array) {
          await write(1)
          beside = await seal(two).catch((error: { code?: string }) => error.code)
          return signer.sign(text)
        },
      }
      expect((await seal(one, { signers: [busy] }))?.count).toBe(2)
      expect(beside).toBeUndefined()
      await seal(two)
      await expectOneHistory(sealed)
    }
  })

  it('each go on from what the other appended', async () => {
    for (const client of [one, two, one, two]) {
      await write(1)
      await expect(seal(client)).resolves.toMatchObject({ count: 1 })
    }
    await expectOneHistory(4)
  })

  it('go on from the batch that was appended last, although its transaction began first', async () => {
    await write(1)
    const early = interrupted(one, /^begin$/, async () => {
      await seal(two)
      await write(1)
    })
    await seal(early)
    await write(1)
    await expect(seal(two)).resolves.toMatchObject({ count: 1 })
    await expectOneHistory(3)
  })
})
