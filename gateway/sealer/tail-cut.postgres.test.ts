import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cutAndRegrow, letTablesShrink, regrow } from '../../test/support/cut-tail.ts'
import { copyDatabase } from '../../test/support/database-copy.ts'
import { interrupted } from '../../test/support/interrupted-client.ts'
import { noteSigner } from '../../test/support/note-signer.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { auditRow } from '../../test/support/store-wishes.ts'
import { PostgresStore } from '../store/postgres-store.ts'
import { sealBatch } from './seal-batch.ts'

/** The tail is cut while a sealer is in the middle of a batch; by chance that happens on a busy machine alone. */

const { signer } = noteSigner('palisade.dev/audit/cut')
let signed = 0
const counting = {
  ...signer,
  sign(text: Uint8Array) {
    signed += 1
    return signer.sign(text)
  },
}
const options = { log: 'palisade.dev/audit/cut', signers: [counting], limit: 100 }

let server: PalisadeDatabase
let db: PalisadeDatabase
let sealer: pg.Client
let cases = 0
/** The log has six records in two batches, and this is where the sealer knows it to end. */
let after: string | undefined

beforeAll(async () => {
  server = await startPalisadeDatabase()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  db = await copyDatabase(server, `case_${(cases += 1)}`)
  sealer = new pg.Client(db.sealer)
  await sealer.connect()
  for (let batch = 0; batch < 2; batch += 1) {
    await write(3)
    after = (await sealBatch(sealer, options))?.checkpoint
  }
  signed = 0
})
afterEach(() => sealer?.end())

async function write(count: number): Promise<void> {
  const store = new PostgresStore({ ...db.app, max: 1 })
  for (let i = 0; i < count; i += 1) await store.appendAudit(null, auditRow(randomUUID()))
  await store.close()
}

const seal = (client: pg.ClientBase = sealer, over: Partial<typeof options> = {}) =>
  sealBatch(client, { ...options, ...over, after })

const places = async () =>
  (await db.query<{ seq: string }>('select seq from palisade.audit_seals order by seq')).map(
    ({ seq }) => Number(seq),
  )

/** Whoever would wait gives up at once. */
const cut = () => cutAndRegrow({ ...db.superuser, options: '-c lock_timeout=200' }, 3)

describe('a tail that is cut while a sealer has read the head', () => {
  const READ_HEAD = /from palisade\.audit_batches/

  it('stays until the transaction of the sealer has ended', async () => {
    let refusal: unknown
    const busy = interrupted(sealer, READ_HEAD, async () => {
      refusal = await cut().catch((error: { code?: string }) => error.code)
    })
    await write(1)
    await expect(seal(busy)).resolves.toMatchObject({ count: 1 })
    expect(refusal).toBe('55P03')
    expect(await places()).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('stays while the checkpoint is signed', async () => {
    let refusal: unknown
    const slow = {
      ...signer,
      async sign(text: Uint8Array) {
        refusal = await cut().catch((error: { code?: string }) => error.code)
        return signer.sign(text)
      },
    }
    await write(1)
    await expect(seal(sealer, { signers: [slow] })).resolves.toMatchObject({ count: 1 })
    expect(refusal).toBe('55P03')
    expect(await places()).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('is noticed before anything is signed where the tables had been let shrink before', async () => {
    await withClient(db.superuser, async (administrator) => {
      await letTablesShrink(administrator)
      const late = interrupted(sealer, READ_HEAD, async () => {
        await administrator.query('begin')
        await regrow(administrator, 3)
        await administrator.query('commit')
      })
      await expect(seal(late)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    })
    expect(signed).toBe(0)
    expect(await places()).toEqual([1, 2, 3])
  })

  it('is noticed by the next look of the sealer', async () => {
    await cut()
    await expect(seal()).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    expect(signed).toBe(0)
    expect(await places()).toEqual([1, 2, 3])
  })
})
