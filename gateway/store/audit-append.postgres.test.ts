import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signRecord } from '#core/audit/record'
import { startPalisadeDatabase, type PalisadeDatabase } from '../../test/support/postgres.ts'
import {
  auditRow,
  caller,
  MAC_KEY,
  readWish,
  reportedStep,
  writeWish,
} from '../../test/support/store-wishes.ts'
import { PostgresStore } from './postgres-store.ts'

let db: PalisadeDatabase
let store: PostgresStore
const alice = caller()
beforeAll(async () => {
  db = await startPalisadeDatabase()
  // Whoever waits here for somebody else's transaction would wait for ever.
  store = new PostgresStore({ ...db.app, options: '-c lock_timeout=2000' })
  await store.ensureUser(alice)
})
afterAll(async () => {
  await store?.close()
  await db?.stop()
})

const TIMES = [
  '2026-11-21T12:00:00.123456789Z',
  '2026-11-21T12:00:00.100Z',
  '2026-11-21T12:00:00Z',
  '2026-11-21T14:00:00.000+02:00',
]

describe('a record', () => {
  it('is stored byte for byte as it was hashed, whatever its time looks like', async () => {
    for (const time of TIMES) {
      const { tenantId } = alice
      const id = randomUUID()
      const signed = signRecord({ id, tenant: tenantId, time, b: 1, 'a ': ' "\u00e9' }, MAC_KEY)
      await store.appendAudit(null, { id, formatVersion: 1, tenantId, writer: 't', ...signed })
      const [stored] = await db.query<{ record: Buffer; leaf: Buffer }>(
        `select l.record, p.leaf from palisade.secret_audit_logs l
         join palisade.audit_pending p on p.record_id = l.id where l.id = $1`,
        [id],
      )
      expect(stored?.record.toString()).toBe(signed.bytes.toString())
      expect(stored?.leaf.toString('hex')).toBe(signed.leaf.toString('hex'))
    }
  })

  it('is written beside a transaction that has written its own and is still open', async () => {
    const open = new pg.Client(db.app)
    await open.connect()
    try {
      const own = auditRow(alice.tenantId)
      await open.query('begin')
      await open.query('select palisade.append_audit($1, null, $2, 1::smallint, $3, $4, $5, $6)', [
        ...[own.tenantId, own.id, own.writer, own.keyId, own.bytes, own.mac],
      ])
      // A handler whose transaction is open and which records a refusal of its own: it would wait for itself.
      const second = store.appendAudit(null, auditRow(alice.tenantId))
      await expect(second).resolves.toBeUndefined()
      await open.query('commit')
    } finally {
      await open.end()
    }
  })
})

describe('a request', () => {
  it('does nothing when its record cannot be written', async () => {
    const kept = writeWish(alice)
    await store.writeSecret(alice, kept)
    // An id that is taken stands for all that may go wrong with a record.
    const audit = kept.audit
    const { name } = kept
    const lost = writeWish(alice, { audit })
    const requests = {
      write: () => store.writeSecret(alice, lost),
      read: () =>
        store.readSecret(alice, readWish(alice, name, { audit: { read: audit, absent: audit } })),
      delete: () =>
        store.changeHead(alice, {
          name,
          expected: { version: 1, deleted: false },
          head: { ...kept.head, deleted: true },
          audit,
        }),
      list: () => store.listSecrets(alice, { after: null, limit: 10 }, audit),
      report: () => store.ingestAudit('operator', [reportedStep({ audit })]),
    }
    for (const [request, act] of Object.entries(requests)) {
      await expect(act(), request).rejects.toMatchObject({ code: '23505' })
    }
    expect(await store.findHead(alice, lost.name)).toBeNull()
    expect(await store.findHead(alice, name)).toMatchObject({ deleted: false })
  })
})
