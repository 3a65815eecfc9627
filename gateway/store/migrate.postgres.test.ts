import { createHash } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, withClient, type TestPostgres } from '../../test/support/postgres.ts'
import { bootstrap, migrate, readMigrations, type Migration } from './migrate.ts'

let server: TestPostgres
const migrator = () => server.as('palisade_migrator')

beforeAll(async () => {
  server = await startPostgres()
  await withClient(server.superuser, bootstrap)
})
afterAll(() => server?.stop())

const migration = (name: string, text: string): Migration => ({
  name,
  role: 'palisade_owner',
  text,
  checksum: createHash('sha256').update(text).digest('hex'),
})

const run = (list?: readonly Migration[]) =>
  withClient(migrator(), (client) => migrate(client, list))

describe('bootstrap', () => {
  it('changes nothing when it runs again', async () => {
    const picture = () =>
      server.query(
        `select rolname, rolcanlogin, rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname like 'palisade%' order by 1`,
      )
    const before = await picture()
    await withClient(server.superuser, bootstrap)
    expect(await picture()).toEqual(before)
    expect(before).toHaveLength(10)
  })

  it('takes the login from a database owner that somebody made before', async () => {
    await server.query('alter role palisade_owner login')
    await withClient(server.superuser, bootstrap)
    const rows = await server.query(
      `select rolcanlogin from pg_roles where rolname = 'palisade_owner'`,
    )
    expect(rows).toEqual([{ rolcanlogin: false }])
  })
})

describe('migrate', () => {
  it('applies each file once, although four runners start together, as a role that is no superuser', async () => {
    const applied = await Promise.all(Array.from({ length: 4 }, () => run()))
    const names = (await readMigrations()).map(({ name }) => name)
    expect(applied.flat()).toEqual(names)
    expect(await run()).toEqual([])
  })

  it('leaves nothing of a file that fails half way, and runs it when it is mended', async () => {
    const broken = migration('9001_new.sql', 'create table palisade_meta.half (); select 1 / 0')
    await expect(run([broken])).rejects.toMatchObject({
      code: 'ERR_MIGRATION_FAILED',
      detail: expect.stringContaining('9001_new.sql: division by zero'),
    })
    expect(await server.query(`select to_regclass('palisade_meta.half') as there`)).toEqual([
      { there: null },
    ])
    expect(await run([migration('9001_new.sql', 'create table palisade_meta.half ()')])).toEqual([
      '9001_new.sql',
    ])
  })

  it('holds nobody up for long while somebody reads on, and runs when that has ended', async () => {
    await run([migration('9001_busy.sql', 'create table palisade_meta.busy (a int)')])
    const column = migration('9002_busy.sql', 'alter table palisade_meta.busy add b int')
    await withClient(server.superuser, async (reader) => {
      await reader.query('begin')
      await reader.query('select * from palisade_meta.busy')
      const migrated = run([column])
      await expect
        .poll(() =>
          server.query("select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted"),
        )
        .toHaveLength(1)
      // Behind the one who waits, as every request would be.
      await withClient(server.superuser, async (other) => {
        await other.query("set statement_timeout = '8s'")
        await other.query('select * from palisade_meta.busy')
      })
      await reader.query('rollback')
      expect(await migrated).toEqual(['9002_busy.sql'])
    })
    await server.query('drop table palisade_meta.busy')
  })

  it('refuses a file that was edited after it had been applied', async () => {
    await run([migration('9002_once.sql', 'select 1')])
    await expect(run([migration('9002_once.sql', 'select 2')])).rejects.toMatchObject({
      code: 'ERR_MIGRATION_FAILED',
      detail: expect.stringContaining('9002_once.sql was edited'),
    })
  })

  it("enrols the platform's own pairs, which cannot log in yet", async () => {
    const rows = await server.query(
      `select r.role::text, a.rolcanlogin from palisade_fence.pair_roles r join pg_roles a on a.rolname = r.role order by 1`,
    )
    expect(rows).toEqual(
      ['palisade_app_a', 'palisade_app_b', 'palisade_sealer_a', 'palisade_sealer_b'].map(
        (role) => ({
          role,
          rolcanlogin: false,
        }),
      ),
    )
  })

  it('is refused to everybody but the migrator', async () => {
    await withClient(server.as('palisade_operator'), async (client: pg.Client) => {
      await expect(migrate(client)).rejects.toMatchObject({ code: '42501' })
    })
  })
})
