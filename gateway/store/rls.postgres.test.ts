import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { auditRow, caller, reportedStep, writeWish } from '../../test/support/store-wishes.ts'
import { PostgresStore } from './postgres-store.ts'
import { auditValues, intakeValues } from './rows.ts'
import { STATEMENTS, type StatementName } from './statements.ts'

let db: PalisadeDatabase
const owner = caller()
const stranger = caller()
const secret = writeWish(owner, { name: 'target' })
const step = reportedStep({}, owner.tenantId)

beforeAll(async () => {
  db = await startPalisadeDatabase()
  const store = new PostgresStore(db.app)
  await store.ensureUser(owner)
  await store.ensureUser(stranger)
  await store.writeSecret(owner, secret)
  await store.close()
})
afterAll(() => db?.stop())

/** The tables as the catalogue lists them, so that a new one is tested without anybody thinking of it. */
async function tables(): Promise<string[]> {
  const rows = await db.query<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'palisade'::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  return rows.map((row) => row.relname)
}

type Role = 'palisade_app' | 'palisade_owner'

/** Runs with the caller setting as given; null leaves it unset. The owner is bound as well, since it has every grant. */
function as<T>(
  role: Role,
  setting: string | null,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(role === 'palisade_app' ? db.app : db.migrator, async (client) => {
    await client.query('begin')
    await client.query(`set local role ${pg.escapeIdentifier(role)}`)
    if (setting !== null)
      await client.query(`select set_config('palisade.caller', $1, true)`, [setting])
    try {
      return await use(client)
    } finally {
      await client.query('rollback')
    }
  })
}

const asApp = <T>(setting: string | null, use: (client: pg.Client) => Promise<T>) =>
  as('palisade_app', setting, use)

const SETTINGS = (['palisade_app', 'palisade_owner'] as const).flatMap((role) => [
  [role, 'unset', null] as const,
  [role, 'empty', ''] as const,
  [role, 'foreign', `${stranger.tenantId}/${stranger.userId}`] as const,
])

describe('every table', () => {
  it('forces row-level security, has a tenant and a policy on it', async () => {
    const unguarded = await db.query(
      `select c.relname from pg_class c
       where c.relnamespace = 'palisade'::regnamespace and c.relkind in ('r', 'p') and not (
         c.relrowsecurity and c.relforcerowsecurity
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)
         and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant'))`,
    )
    expect(unguarded).toEqual([])
    expect(await tables()).toEqual(
      expect.arrayContaining([
        'enterprise_secrets',
        'stored_api_keys',
        'api_key_projects',
        'secret_audit_logs',
        'secret_versions',
        'key_usage_analytics',
        'secret_shares',
        'secret_roles',
        'secret_user_roles',
        'service_accounts',
        'mcp_key_tools',
        'mcp_key_access_requests',
        'mcp_key_sessions',
        'mcp_proxy_tokens',
      ]),
    )
  })

  it.each(SETTINGS)(
    "shows %s nothing of the tenant's while the caller is %s",
    async (role, _, setting) => {
      for (const table of await tables()) {
        const seen = await as(role, setting, async (client) => {
          const text = `select 1 from palisade.${pg.escapeIdentifier(table)} where tenant_id = $1`
          return client.query(text, [owner.tenantId]).catch(refusedByGrant)
        })
        expect(seen.rows, table).toEqual([])
      }
    },
  )

  it.each(SETTINGS)(
    "lets %s change nothing of the tenant's while the caller is %s",
    async (role, _, setting) => {
      for (const table of await tables()) {
        for (const change of ['delete from', 'update']) {
          const name = pg.escapeIdentifier(table)
          const text =
            change === 'update'
              ? `update palisade.${name} set tenant_id = tenant_id where tenant_id = $1`
              : `delete from palisade.${name} where tenant_id = $1`
          const done = await as(role, setting, (client) =>
            client.query(text, [owner.tenantId]).catch(refusedByGrant),
          )
          expect(done.rowCount, `${change} ${table}`).toBe(0)
        }
      }
    },
  )

  it('is visible to its owner where the application may read it at all', async () => {
    const own = await asApp(`${owner.tenantId}/${owner.userId}`, (client) =>
      client.query('select name from palisade.enterprise_secrets'),
    )
    expect(own.rows).toEqual([{ name: 'target' }])
  })
})

/** A missing grant, or a log's own trigger, refuses earlier than a policy would; any other error fails the test. */
function refusedByGrant(error: unknown) {
  if (error instanceof pg.DatabaseError && (error.code === '42501' || error.code === 'PL020'))
    return { rows: [], rowCount: 0 }
  throw error
}

type Who = {
  readonly tenantId: string | null
  readonly userId: string | null
  readonly tokenVersion: number
}

/** Arguments that would reach the owner's secret if the caller were not looked at. */
const ARGUMENTS: Record<StatementName, (who: Who) => unknown[]> = {
  findHead: (who) => [who.tenantId, who.userId, who.tokenVersion, 'target'],
  readSecret: (who) => [
    ...[who.tenantId, who.userId, who.tokenVersion, 'target', null, 1],
    ...auditValues(auditRow(owner.tenantId)),
    ...auditValues(auditRow(owner.tenantId)),
  ],
  writeSecret: (who) => [
    ...[who.tenantId, who.userId, who.tokenVersion, 'target', secret.secretId, 1],
    ...[1, 'A256GCM', secret.sealed.nonce, secret.sealed.ciphertext, 'w', 'h', secret.head.mac],
    ...auditValues(auditRow(owner.tenantId)),
    ...[null, null],
  ],
  changeHead: (who) => [
    ...[
      who.tenantId,
      who.userId,
      who.tokenVersion,
      'target',
      1,
      false,
      1,
      true,
      'h',
      secret.head.mac,
    ],
    ...auditValues(auditRow(owner.tenantId)),
  ],
  listSecrets: (who) => [
    ...[who.tenantId, who.userId, who.tokenVersion, null, 100],
    ...auditValues(auditRow(owner.tenantId)),
  ],
  appendAudit: (who) => [who.tenantId, who.userId, ...auditValues(auditRow(owner.tenantId))],
  appendAudits: (who) => [
    [who.tenantId],
    [who.userId],
    ...auditValues(auditRow(owner.tenantId)).map((value) => [value]),
  ],
  ingestAudit: (who) => [who.tenantId, who.userId, ...intakeValues([step], step.audit)],
  areSealed: (who) => [who.tenantId, [secret.audit.id]],
  countRefusals: () => ['w', [], [], [], [], [], [], [], []],
  unrecordedRefusals: () => ['w', new Date(), new Date(), 10],
  recordRefusals: () => [
    ...['w', new Date(), 'surplus', 1],
    ...auditValues(auditRow(owner.tenantId)),
  ],
  unrecordedReadings: () => [10],
  recordReading: () => [randomUUID(), ...auditValues(auditRow(owner.tenantId))],
  auditVolume: () => [],
  searchAudit: (who) => [
    ...[
      who.tenantId,
      who.userId,
      who.tokenVersion,
      true,
      owner.tenantId,
      null,
      null,
      null,
      null,
      null,
    ],
    ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ...[false, 100, 100],
  ],
  auditReach: (who) => [who.tenantId, who.userId, who.tokenVersion],
  ensureUser: (who) => [who.tenantId, who.userId, 'user'],
  findApiKey: () => [Buffer.alloc(32, 1)],
  findLogin: () => [Buffer.alloc(32, 1)],
  unfitRole: () => [],
  schemaVersion: () => [],
}

/** Say nothing about any tenant, whoever asks. */
const WITHOUT_TENANT = new Set<StatementName>(['auditVolume', 'unfitRole', 'schemaVersion'])

async function stateOfOwner(): Promise<unknown> {
  return db.query(
    `select s.current_version, s.deleted, s.head_mac, (select count(*) from palisade.secret_versions) as versions
     from palisade.enterprise_secrets s where s.id = $1`,
    [secret.secretId],
  )
}

describe("every statement of the store, in a stranger's hands", () => {
  const names = Object.keys(STATEMENTS) as StatementName[]
  const strangers: readonly (readonly [string, Who])[] = [
    ['no tenant and no user', { tenantId: null, userId: null, tokenVersion: 0 }],
    ["the owner's tenant without a user", { ...owner, userId: null }],
    ["the owner's tenant and another user", { ...stranger, tenantId: owner.tenantId }],
    ['another tenant and its user', stranger],
    ["another tenant and the owner's user", { ...owner, tenantId: stranger.tenantId }],
    [
      'a tenant and a user that do not exist',
      { tenantId: randomUUID(), userId: randomUUID(), tokenVersion: 0 },
    ],
  ]

  it.each(strangers)('reaches nothing of the owner with %s', async (_, who) => {
    const before = await stateOfOwner()
    for (const name of names) {
      const rows = await withClient(db.app, async (client) => {
        const answer = await client
          .query<Record<string, unknown>>(STATEMENTS[name], ARGUMENTS[name](who))
          .catch((error: unknown) => {
            if (error instanceof pg.DatabaseError) return { rows: [] as Record<string, unknown>[] }
            throw error
          })
        return answer.rows
      })
      if (WITHOUT_TENANT.has(name)) continue
      const shown = JSON.stringify(rows)
      expect(shown, name).not.toContain(secret.secretId)
      expect(shown, name).not.toContain(secret.audit.id)
      expect(shown, name).not.toContain(JSON.stringify(secret.sealed.ciphertext))
      expect(await stateOfOwner(), name).toEqual(before)
    }
  })

  it('does reach it in the hands of the owner, so that the cases above can fail', async () => {
    const { rows } = await withClient(db.app, (client) =>
      client.query(STATEMENTS.findHead, ARGUMENTS.findHead(owner)),
    )
    expect(rows).toMatchObject([{ id: secret.secretId }])
  })
})

describe('a share', () => {
  it('shows head and versions to its grantee alone, until it ends', async () => {
    const grantee = `${stranger.tenantId}/${stranger.userId}`
    const third = `${randomUUID()}/${randomUUID()}`
    const visible = (setting: string) =>
      asApp(setting, async (client) => {
        const heads = await client.query('select 1 from palisade.enterprise_secrets')
        const versions = await client.query('select 1 from palisade.secret_versions')
        return [heads.rowCount, versions.rowCount]
      })
    expect(await visible(grantee)).toEqual([0, 0])
    await db.query(
      `insert into palisade.secret_shares (id, tenant_id, secret_id, grantee_tenant_id, granted_by)
       values ($1, $2, $3, $4, 'owner')`,
      [randomUUID(), owner.tenantId, secret.secretId, stranger.tenantId],
    )
    expect(await visible(grantee)).toEqual([1, 1])
    expect(await visible(third)).toEqual([0, 0])
    await db.query(`update palisade.secret_shares set expires_at = now() - interval '1 second'`)
    expect(await visible(grantee)).toEqual([0, 0])
  })
})

describe('an audit table', () => {
  it.each(['secret_audit_logs', 'audit_seals', 'audit_batches', 'audit_intake'])(
    'refuses UPDATE, DELETE and TRUNCATE of %s to the owner and to a superuser as well',
    async (table) => {
      const name = pg.escapeIdentifier(table)
      for (const login of [db.superuser, db.migrator]) {
        for (const text of [
          `update palisade.${name} set tenant_id = tenant_id`,
          `delete from palisade.${name}`,
          `truncate palisade.${name}`,
        ]) {
          await withClient(login, async (client) => {
            if (login === db.migrator) await client.query('set role palisade_owner')
            await expect(client.query(text), text).rejects.toMatchObject({ code: 'PL020' })
          })
        }
      }
    },
  )

  it('gives the application no way to read, change or empty the log', async () => {
    for (const text of [
      'select 1 from palisade.secret_audit_logs',
      'select 1 from palisade.audit_pending',
      'delete from palisade.audit_pending',
      'update palisade.secret_audit_logs set writer = writer',
      'truncate palisade.secret_audit_logs',
      'insert into palisade.audit_seals select',
    ]) {
      await expect(
        asApp('', (client) => client.query(text)),
        text,
      ).rejects.toMatchObject({ code: expect.stringMatching(/^42/) })
    }
  })

  it('gives the sealer no way to read or write records', async () => {
    await withClient(db.sealer, async (client) => {
      for (const text of [
        'select 1 from palisade.secret_audit_logs',
        'select 1 from palisade.secret_versions',
      ]) {
        await expect(client.query(text), text).rejects.toMatchObject({ code: '42501' })
      }
    })
  })
})
