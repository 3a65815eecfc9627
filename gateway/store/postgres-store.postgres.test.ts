import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPalisadeDatabase, type PalisadeDatabase } from '../../test/support/postgres.ts'
import { auditRow, caller, readWish, writeWish } from '../../test/support/store-wishes.ts'
import { unconfirmed } from '../../test/support/unconfirmed.ts'
import { PostgresStore } from './postgres-store.ts'

let db: PalisadeDatabase
let store: PostgresStore
const alice = caller()
const bob = caller()

beforeAll(async () => {
  db = await startPalisadeDatabase()
  store = new PostgresStore(db.app)
  await store.ensureUser(alice)
  await store.ensureUser(bob)
})
afterAll(async () => {
  await store?.close()
  await db?.stop()
})

async function recordsOf(tenantId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select l.id from palisade.secret_audit_logs l join palisade.audit_pending p on p.record_id = l.id
     where l.tenant_id = $1`,
    [tenantId],
  )
  return rows.map((row) => row.id)
}

describe('writeSecret', () => {
  it('stores version 1 with its record, and the read gives back the same bytes', async () => {
    const wish = writeWish(alice)
    expect((await store.writeSecret(alice, wish)).kind).toBe('written')
    const read = await store.readSecret(alice, readWish(alice, wish.name))
    expect(read).toMatchObject({
      kind: 'read',
      head: { secretId: wish.secretId, currentVersion: 1, mac: wish.head.mac },
      version: { ciphertext: wish.sealed.ciphertext, nonce: wish.sealed.nonce },
    })
    expect(await recordsOf(alice.tenantId)).toContain(wish.audit.id)
  })

  it('keeps the old version readable after a second one', async () => {
    const first = writeWish(alice)
    const second = writeWish(alice, { name: first.name, secretId: first.secretId, expected: 1 })
    await store.writeSecret(alice, first)
    await store.writeSecret(alice, second)
    const old = await store.readSecret(
      alice,
      readWish(alice, first.name, { version: 1, expected: 2 }),
    )
    expect(old).toMatchObject({ kind: 'read', version: { ciphertext: first.sealed.ciphertext } })
  })

  it('answers moved and records nothing when the expected version is not the current one', async () => {
    const first = writeWish(alice)
    await store.writeSecret(alice, first)
    const late = writeWish(alice, { name: first.name })
    expect(await store.writeSecret(alice, late)).toMatchObject({
      kind: 'moved',
      head: { currentVersion: 1 },
    })
    expect(await recordsOf(alice.tenantId)).not.toContain(late.audit.id)
  })

  it('lets exactly one of 20 concurrent writers have version 1', async () => {
    const name = 'contended'
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => store.writeSecret(alice, writeWish(alice, { name }))),
    )
    expect(outcomes.filter((o) => o.kind === 'written')).toHaveLength(1)
    expect(outcomes.filter((o) => o.kind === 'moved')).toHaveLength(19)
  })

  it('does a request once under one idempotency key, and refuses the key for another request', async () => {
    const idempotency = { key: 'once', requestDigest: Buffer.alloc(32, 1) }
    const wish = writeWish(alice, { idempotency })
    const again = writeWish(alice, { name: wish.name, idempotency })
    expect((await store.writeSecret(alice, wish)).kind).toBe('written')
    expect(await store.writeSecret(alice, again)).toMatchObject({
      kind: 'repeated',
      secretId: wish.secretId,
      version: 1,
    })
    const other = { key: 'once', requestDigest: Buffer.alloc(32, 2) }
    expect(await store.writeSecret(alice, writeWish(alice, { idempotency: other }))).toEqual({
      kind: 'keyReused',
    })
  })

  it('remembers an idempotency key for 24 hours, and takes it for a new one after that', async () => {
    const idempotency = { key: 'aged', requestDigest: Buffer.alloc(32, 6) }
    const age = (interval: string) =>
      db.query(
        `update palisade.idempotency_keys set created_at = now() - $1::interval
         where key_digest = sha256('aged')`,
        [interval],
      )
    const wish = writeWish(alice, { idempotency })
    const { name, secretId } = wish
    await store.writeSecret(alice, wish)
    await age('23 hours 59 minutes')
    const again = { name, secretId, expected: 1, idempotency }
    expect((await store.writeSecret(alice, writeWish(alice, again))).kind).toBe('repeated')
    await age('24 hours 1 second')
    expect((await store.writeSecret(alice, writeWish(alice, again))).kind).toBe('written')
    expect((await store.writeSecret(alice, writeWish(alice, again))).kind).toBe('repeated')
  })

  it('forgets the idempotency key of a request that moved, so that it can be tried again', async () => {
    const taken = writeWish(alice)
    await store.writeSecret(alice, taken)
    const idempotency = { key: 'moved', requestDigest: Buffer.alloc(32, 3) }
    const late = writeWish(alice, { name: taken.name, idempotency })
    expect((await store.writeSecret(alice, late)).kind).toBe('moved')
    const { name, secretId } = taken
    const next = writeWish(alice, { name, secretId, expected: 1, idempotency })
    expect((await store.writeSecret(alice, next)).kind).toBe('written')
  })
})

describe('readSecret', () => {
  it('hands nothing out and records nothing while the caller does not know the version', async () => {
    const wish = writeWish(alice)
    await store.writeSecret(alice, wish)
    const blind = readWish(alice, wish.name, { expected: null })
    const outcome = await store.readSecret(alice, blind)
    expect(outcome).toMatchObject({ kind: 'moved', head: { currentVersion: 1 } })
    expect(outcome).not.toHaveProperty('version')
    expect(await recordsOf(alice.tenantId)).not.toContain(blind.audit.read.id)
  })

  it('records the absence of a secret that another tenant has, in the own tenant', async () => {
    const wish = writeWish(alice)
    await store.writeSecret(alice, wish)
    const read = readWish(bob, wish.name)
    expect(await store.readSecret(bob, read)).toEqual({ kind: 'absent' })
    expect(await recordsOf(bob.tenantId)).toEqual([read.audit.absent.id])
  })

  it('finds a deleted secret absent, and there again after its head was restored', async () => {
    const wish = writeWish(alice)
    await store.writeSecret(alice, wish)
    const change = (from: boolean, to: boolean) =>
      store.changeHead(alice, {
        name: wish.name,
        expected: { version: 1, deleted: from },
        head: { ...wish.head, deleted: to },
        audit: auditRow(alice.tenantId),
      })
    expect((await change(false, true)).kind).toBe('written')
    expect((await store.readSecret(alice, readWish(alice, wish.name))).kind).toBe('absent')
    expect((await change(false, true)).kind).toBe('moved')
    expect((await change(true, false)).kind).toBe('written')
    expect((await store.readSecret(alice, readWish(alice, wish.name))).kind).toBe('read')
  })
})

describe('listSecrets', () => {
  it('pages by name through the own tenant only, and records the listing', async () => {
    const carol = caller()
    await store.ensureUser(carol)
    for (const name of ['c', 'a', 'b']) await store.writeSecret(carol, writeWish(carol, { name }))
    const audit = auditRow(carol.tenantId)
    const first = await store.listSecrets(carol, { after: null, limit: 2 }, audit)
    const rest = await store.listSecrets(carol, { after: 'b', limit: 2 }, auditRow(carol.tenantId))
    expect([...first, ...rest].map((s) => s.name)).toEqual(['a', 'b', 'c'])
    expect(await recordsOf(carol.tenantId)).toContain(audit.id)
  })
})

describe('a caller', () => {
  it.each([
    ['the token version moved on', 'update palisade.users set token_version = 1 where id = $1'],
    ['the user is locked', `update palisade.users set state = 'locked' where id = $1`],
    ['the tenant is locked', `update palisade.tenants set state = 'locked' where tenant_id = $1`],
  ])('is refused when %s, and nothing is recorded as done', async (_, change) => {
    const mallory = caller()
    await store.ensureUser(mallory)
    await db.query(change, [mallory.userId])
    const wish = writeWish(mallory)
    await expect(store.writeSecret(mallory, wish)).rejects.toMatchObject({
      code: 'ERR_TOKEN_INVALID',
    })
    await expect(store.findHead(mallory, wish.name)).rejects.toMatchObject({
      code: 'ERR_TOKEN_INVALID',
    })
    expect(await recordsOf(mallory.tenantId)).toEqual([])
    // The refusal itself is recorded all the same.
    const refusal = auditRow(mallory.tenantId)
    await store.appendAudit(mallory, refusal)
    expect(await recordsOf(mallory.tenantId)).toEqual([refusal.id])
  })

  it('is refused in a tenant of which it is no member', async () => {
    const guest = { ...bob, tenantId: alice.tenantId }
    await expect(store.findHead(guest, 'any')).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  })
})

describe('records that come at the same moment', () => {
  it('are each there once, under their own tenant, with what the sealer needs; one that is refused fails alone', async () => {
    const people = Array.from({ length: 5 }, () => caller())
    const rows = Array.from({ length: 60 }, (_, i) => auditRow(people[i % 5]?.tenantId ?? ''))
    // The id of another record, as nobody should ever make it.
    const twin = { ...auditRow(alice.tenantId), id: rows[0]?.id ?? '' }
    const outcomes = await Promise.allSettled(
      [...rows, twin].map((row, i) => store.appendAudit(people[i % 5] ?? null, row)),
    )
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    for (const [i, person] of people.entries()) {
      const own = rows.filter((_, at) => at % 5 === i).map(({ id }) => id)
      const kept = await recordsOf(person.tenantId)
      expect(kept.toSorted()).toEqual(own.toSorted())
    }
    const leaves = await db.query<{ record_id: string; leaf: Buffer }>(
      'select record_id, leaf from palisade.audit_pending where record_id = any ($1)',
      [rows.map(({ id }) => id)],
    )
    expect(leaves).toHaveLength(rows.length)
    const wanted = new Map(rows.map(({ id, leaf }) => [id, Buffer.from(leaf).toString('hex')]))
    for (const { record_id: id, leaf } of leaves) expect(leaf.toString('hex')).toBe(wanted.get(id))
  })
})

describe('a commit that the standby did not confirm', () => {
  it('is an unknown outcome, found again under its idempotency key', async () => {
    const idempotency = { key: 'unconfirmed', requestDigest: Buffer.alloc(32, 4) }
    const wish = writeWish(alice, { idempotency })
    await unconfirmed(db, async () => {
      const write = store.writeSecret(alice, wish).catch((error: unknown) => error)
      const cancelled = `select pg_cancel_backend(pid) as done from pg_stat_activity where wait_event = 'SyncRep'`
      await expect.poll(() => db.query(cancelled)).toHaveLength(1)
      expect(await write).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' })
      // Nor is its repetition an acknowledgement, for as long as the standby has not got it.
      const repeat = { ...wish, audit: auditRow(alice.tenantId) }
      const repeated = store.writeSecret(alice, repeat).catch((error: unknown) => error)
      await expect.poll(() => db.query(cancelled)).toHaveLength(1)
      expect(await repeated).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' })
    })
    const again = await store.writeSecret(alice, { ...wish, audit: auditRow(alice.tenantId) })
    expect(again).toMatchObject({ kind: 'repeated', version: 1 })
  })
})

describe('unfitRole', () => {
  it('is empty for the application role and names superuser and owner', async () => {
    expect(await store.unfitRole()).toEqual([])
    const superuser = new PostgresStore(db.superuser)
    expect((await superuser.unfitRole()).join()).toMatch(/superuser.*owner/)
    await superuser.close()
  })
})

describe('ready', () => {
  it('is ok on the newest schema, and says that the database cannot be reached', async () => {
    expect(await store.ready()).toMatchObject({ ok: true })
    const lost = new PostgresStore({ ...db.app, port: 1 })
    expect(await lost.ready()).toEqual({ ok: false, reason: 'the database cannot be reached' })
    await lost.close()
  })
})
