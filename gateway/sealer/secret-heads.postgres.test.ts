import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { PLATFORM_TENANT } from '../../api/audit-event.ts'
import { signRecord } from '../../core/audit/record.ts'
import { systemClock } from '../../core/clock.ts'
import { copyDatabase } from '../../test/support/database-copy.ts'
import {
  keyDirectory,
  person,
  startGateway,
  type Person,
  type TestGateway,
} from '../../test/support/gateway.ts'
import { noteSigner } from '../../test/support/note-signer.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { commandsOf } from '../../test/support/runbook-commands.ts'
import { recordCut, takePage } from '../store/audit-cut.ts'
import { SealerMetrics } from './metrics.ts'
import { sealBatch } from './seal-batch.ts'
import { compareHeads } from './secret-heads.ts'
import { runSelfChecks } from './self-checks.ts'

const LOG = 'palisade.dev/audit/heads'
const { signer } = noteSigner(LOG)
const RETENTION = 'test_retention'
const alice = person()
const bob = person()

let server: PalisadeDatabase
let directory: Awaited<ReturnType<typeof keyDirectory>>
let cases = 0
/** Rows as they once were, with the MAC that the gateway gave them then. */
const once = new Map<string, Head>()

interface Head {
  readonly id: string
  readonly current_version: number
  readonly deleted: boolean
  readonly head_key_id: string
  readonly head_mac: Buffer
}

const seal = (db: PalisadeDatabase) =>
  withClient(db.sealer, (client) =>
    sealBatch(client, { log: LOG, signers: [signer], limit: 1_000 }),
  )
const compare = (db: PalisadeDatabase, pageSize?: number) =>
  withClient(db.sealer, (client) => compareHeads(client, undefined, pageSize))
const found = async (db: PalisadeDatabase) => (await compare(db)).findings

async function rowOf(db: PalisadeDatabase, name: string): Promise<Head> {
  const [row] = await db.query<Head>(
    `select id, current_version, deleted, head_key_id, head_mac from palisade.enterprise_secrets
     where name = $1 and tenant_id = $2`,
    [name, alice.tenantId],
  )
  return row as Head
}
const idOf = async (db: PalisadeDatabase, name: string) => (await rowOf(db, name)).id

/** What an administrator of the database can do without any key. */
async function putBack(db: PalisadeDatabase, name: string): Promise<void> {
  const { id, current_version, deleted, head_key_id, head_mac } = once.get(name) as Head
  const rows = await db.query(
    `update palisade.enterprise_secrets set current_version = $2, deleted = $3, head_key_id = $4, head_mac = $5
     where id = $1 returning id`,
    [id, current_version, deleted, head_key_id, head_mac],
  )
  expect(rows).toHaveLength(1)
}

type Ways = ReturnType<typeof waysOf>
function waysOf(gateway: TestGateway, who: Person) {
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await gateway.ask(who, method, `/api/secrets/${path}`, body ? { body } : {})
    expect(answer.statusCode, `${method} ${path} ${answer.body}`).toBeLessThan(300)
    return answer
  }
  return {
    put: (name: string, value: string) => ask('PUT', name, { value }),
    read: async (name: string) => (await ask('GET', name)).json<{ value: string }>().value,
    remove: (name: string) => ask('DELETE', name),
    restore: (name: string) => ask('POST', `${name}/restore`),
  }
}

/** A gateway on this database while `use` runs: nobody may be connected to one that is copied. */
async function served<T>(
  db: PalisadeDatabase,
  use: (gateway: TestGateway, ways: Ways) => Promise<T>,
): Promise<T> {
  const gateway = await startGateway(db, { directory: directory.path })
  try {
    return await use(gateway, waysOf(gateway, alice))
  } finally {
    await gateway.stop()
  }
}

const copy = () => copyDatabase(server, `case_${(cases += 1)}`)

beforeAll(async () => {
  ;[server, directory] = await Promise.all([startPalisadeDatabase(), keyDirectory()])
  await server.query(`create role ${RETENTION} login password 'x' in role palisade_retention`)
  await served(server, async ({ store, ...gateway }, { put, read, remove, restore }) => {
    for (const { id: userId, tenantId } of [alice, bob])
      await store.ensureUser({ userId, tenantId })
    await put('rotated', 'first')
    await put('removed', 'x')
    await put('restored', 'x')
    await waysOf({ store, ...gateway }, bob).put('rotated', 'of another tenant')
    await put('quiet', 'x')
    await seal(server)
    for (const name of ['rotated', 'removed', 'restored']) once.set(name, await rowOf(server, name))
    await remove('restored')
    once.set('restored', await rowOf(server, 'restored'))
    await put('rotated', 'second')
    await remove('removed')
    await restore('restored')
    await read('rotated')
    await seal(server)
  })
})
afterAll(async () => {
  await server?.stop()
  await directory?.remove()
})

describe('compareHeads, with the rights of the sealer', () => {
  it('finds nothing where nobody was at a row, in pages of any size', async () => {
    for (const size of [1, 2, 5, 100]) {
      expect(await compare(server, size)).toEqual({ secrets: 5, count: 0, findings: [] })
    }
  })

  it('finds a rotated value put back with its old MAC, which no read notices', async () => {
    const db = await copy()
    await putBack(db, 'rotated')
    expect(await served(db, (_, { read }) => read('rotated'))).toBe('first')
    expect(await found(db)).toEqual([
      {
        code: 'HeadRolledBack',
        secret: await idOf(db, 'rotated'),
        detail: expect.stringMatching(
          /^the row says version 1, the log at 1\/\d+ says version 2$/,
        ) as string,
      },
    ])
  })

  it('finds it no more when the page is followed: newer versions taken away, the value written again', async () => {
    const db = await copy()
    await putBack(db, 'rotated')
    await follow(db, 'delete from palisade.secret_versions', {
      '<secret>': await idOf(db, 'rotated'),
    })
    await served(db, async (_, { put, read }) => {
      await put('rotated', 'again')
      expect(await read('rotated')).toBe('again')
    })
    expect(await found(db)).toEqual([])
    await seal(db)
    expect(await found(db)).toEqual([])
  })

  it('finds it as well while the record of the newer value waits for the sealer', async () => {
    const db = await copy()
    await served(db, (_, { put }) => put('rotated', 'third'))
    expect(await found(db)).toEqual([])
    await putBack(db, 'rotated')
    expect(await found(db)).toMatchObject([
      {
        code: 'HeadRolledBack',
        detail: 'the row says version 1, a record that waits says version 3',
      },
    ])
  })

  it.each(['removed', 'restored'])('finds "%s" put back to before that', async (name) => {
    const db = await copy()
    await putBack(db, name)
    expect(await found(db)).toMatchObject([
      { code: 'DeletionDiffers', secret: await idOf(db, name) },
    ])
  })

  it.each([1, 100])('finds a row that is gone, in pages of %i', async (size) => {
    const db = await copy()
    const secret = await idOf(db, 'quiet')
    await db.query('delete from palisade.secret_versions where secret_id = $1', [secret])
    await db.query('delete from palisade.enterprise_secrets where id = $1', [secret])
    const { findings, secrets } = await compare(db, size)
    expect(findings).toMatchObject([{ code: 'HeadMissing', secret }])
    expect(secrets).toBe(4)
    // The row of the page that stands for it, which is no secret to anybody.
    await follow(db, 'insert into palisade.enterprise_secrets', {
      ...{ '<secret>': secret, '<tenant>': alice.tenantId, '<version>': '1', '<deleted>': 'false' },
    })
    expect(await found(db)).toEqual([])
    await served(db, async (gateway) => {
      const url = `/api/secrets/lost-${secret}`
      const read = await gateway.ask(alice, 'GET', url)
      const write = await gateway.ask(alice, 'PUT', url, { body: { value: 'x' } })
      const codes = [read, write].map((answer) => answer.json<{ code: string }>().code)
      expect(codes).toEqual(['ERR_NOT_FOUND', 'ERR_SECRET_ROLLED_BACK'])
    })
  })

  it('finds a row that no record tells of, and one that was moved on without a record', async () => {
    const db = await copy()
    const secret = randomUUID()
    await db.query(
      `insert into palisade.enterprise_secrets (id, tenant_id, name, current_version, head_key_id, head_mac, created_by)
       select $1, tenant_id, 'made', 1, head_key_id, head_mac, created_by from palisade.enterprise_secrets limit 1`,
      [secret],
    )
    await db.query(
      `update palisade.enterprise_secrets set current_version = 7 where name = 'quiet'`,
    )
    const ahead = { code: 'HeadAhead', secret: await idOf(db, 'quiet') }
    const findings = await found(db)
    expect(findings).toHaveLength(2)
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'HeadUnknown', secret }),
        expect.objectContaining(ahead),
      ]),
    )
  })

  it('counts all and names the first twenty', async () => {
    const db = await copy()
    await db.query(
      `insert into palisade.enterprise_secrets (id, tenant_id, name, current_version, head_key_id, head_mac, created_by)
       select gen_random_uuid(), tenant_id, 'made ' || n, 1, head_key_id, head_mac, created_by
       from (select * from palisade.enterprise_secrets limit 1) s, generate_series(1, 30) n`,
    )
    const { count, findings } = await compare(db)
    expect([count, findings.length]).toEqual([30, 20])
  })

  it('finds nothing however fast secrets are made, written, deleted and restored beside it', async () => {
    const db = await copy()
    await served(db, async (gateway) => {
      const stop = new AbortController()
      const { signal } = stop
      const ended = () => stop.abort()
      let changes = 0
      const write = async (who: Person, n: number) => {
        const { put, remove, restore } = waysOf(gateway, who)
        for (let turn = 0; !signal.aborted; turn += 1) {
          const name = `busy-${n}-${turn % 8}`
          await put(name, 'x')
          await remove(name)
          await restore(name)
          changes += 3
        }
      }
      const sealAgain = async () => {
        while (!signal.aborted) await seal(db)
      }
      const compareAgain = async () => {
        for (let pass = 0; !signal.aborted && (pass < 3 || changes < 50); pass += 1) {
          expect(await compare(db, 2 + (pass % 3))).toMatchObject({ count: 0, findings: [] })
        }
      }
      const writers = [write(alice, 1), write(alice, 2), write(bob, 1)]
      await Promise.all(
        [...writers, sealAgain(), compareAgain()].map((each) => each.finally(ended)),
      )
      const { secrets, count } = await compare(db)
      expect([count, secrets > 10]).toEqual([0, true])
    })
  })

  it('holds rows against the log as it was when they were read, whatever is sealed behind that', async () => {
    const db = await copy()
    await served(db, async (_, { put }) => {
      await withClient(db.sealer, async (client) => {
        const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
        let isRead = false
        const afterRows = async (...args: unknown[]) => {
          const answer = await query(...args)
          if (!isRead && String(args[0]).includes('palisade.secret_heads(')) {
            isRead = true
            await put('rotated', 'third')
            await seal(db)
          }
          return answer
        }
        Object.assign(client, { query: afterRows })
        expect(await compareHeads(client)).toEqual({ secrets: 5, count: 0, findings: [] })
        expect(isRead).toBe(true)
      })
    })
  })

  it('takes no secret for unknown whose last record retention took, and still finds what is behind the rest', async () => {
    const db = await copy()
    await served(db, async ({ keys }, { put }) => {
      await put('rotated', 'third')
      await seal(db)
      await cutAllBut(db, 1, keys.auditMac.at(-1)!)
    })
    const [{ left = '' } = {}] = await db.query<{ left: string }>(
      `select count(*) as left from palisade.secret_audit_logs
       where convert_from(record, 'UTF8') like '%"eventType":"secret.write"%'`,
    )
    expect(left).toBe('1')
    expect(await compare(db, 2)).toEqual({ secrets: 5, count: 0, findings: [] })
    await putBack(db, 'rotated')
    expect(await found(db)).toMatchObject([{ code: 'HeadRolledBack' }])
  })

  it('tells count and time to whoever measures', async () => {
    const db = await copy()
    await putBack(db, 'rotated')
    const metrics = new SealerMetrics()
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const running = runSelfChecks(
      {
        ...{ metrics, signers: [signer], clock: systemClock },
        database: async () => db.sealer,
        logger: { info() {}, warn() {}, error() {} },
      },
      stop.signal,
    )
    const value = async (gauge: { get(): Promise<{ values: { value: number }[] }> }) =>
      (await gauge.get()).values[0]?.value
    await expect.poll(() => value(metrics.headsCompared), { timeout: 30_000 }).toBe(5)
    stop.abort()
    await running
    expect(await value(metrics.headFindings)).toBe(1)
    expect(await value(metrics.lastHeadComparison)).toBeGreaterThan(1.7e9)
    expect(await value(metrics.lastVerificationFindings)).toBe(0)
  })
})

describe('the sealer', () => {
  it('learns id, version and deletion of secrets, and reads nothing else of them', async () => {
    await withClient(server.sealer, async (client) => {
      for (const text of [
        'select id from palisade.enterprise_secrets',
        'select name from palisade.enterprise_secrets',
        'select 1 from palisade.secret_versions',
        `select palisade_lookup.secret_change('')`,
      ]) {
        await expect(client.query(text), text).rejects.toMatchObject({ code: '42501' })
      }
      const { fields } = await client.query(`select * from palisade.secret_heads($1, 1)`, [
        '00000000-0000-0000-0000-000000000000',
      ])
      expect(fields.map(({ name }) => name)).toEqual([
        ...['secret', 'version', 'deleted', 'updated_at', 'waiting_version', 'waiting_deleted'],
      ])
    })
  })

  it.each(['app', 'auditor'] as const)('alone asks for them: %s may not', async (role) => {
    await withClient(server[role], async (client) => {
      for (const text of [
        `select * from palisade.secret_heads('00000000-0000-0000-0000-000000000000', 1)`,
        'select * from palisade.sealed_secret_changes(0, 0, 1, 100)',
      ]) {
        await expect(client.query(text), text).rejects.toMatchObject({ code: '42501' })
      }
    })
  })
})

/** Runs the statement of SecretRolledBack.md that begins so, with what stands for its placeholders. */
async function follow(
  db: PalisadeDatabase,
  beginning: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const [statement = '', ...others] = commandsOf('SecretRolledBack', 'Mitigation').flatMap(
    ({ text }) => / -c "(.+)"$/.exec(text)?.[1]?.match(new RegExp(`^${beginning}.+`)) ?? [],
  )
  expect(others).toEqual([])
  await db.query(statement.replaceAll(/<\w+>/g, (name) => values[name] ?? name))
}

/** Retention takes all records but those of the last batches. */
async function cutAllBut(
  db: PalisadeDatabase,
  batches: number,
  mac: TestGateway['keys']['auditMac'][number],
): Promise<void> {
  const [end] = await db.query<{ last: string; root: string }>(
    `select last, encode(root, 'hex') as root from palisade.audit_batches order by last desc offset $1 limit 1`,
    [batches],
  )
  const last = Number(end?.last)
  // Time is what a test cannot wait for: batches and rows are as old as their places say.
  await db.query(`
    alter table palisade.audit_batches disable trigger all;
    update palisade.audit_batches set sealed_at = sealed_at - interval '500 days' where last <= ${last};
    alter table palisade.audit_batches enable always trigger only_grows;
    update palisade.enterprise_secrets set updated_at = updated_at - interval '500 days'
      where current_version < 3`)
  const id = randomUUID()
  const details = { epoch: 1, first: 1, last, root: end?.root, keepDays: 400 }
  const event = {
    ...{ format: 1, id, time: new Date().toISOString(), tenant: PLATFORM_TENANT },
    ...{ eventType: 'audit.cut', outcome: 'success', writer: 'test', macKey: mac.id },
    actor: { kind: 'administrator', id: RETENTION },
    subject: { kind: 'log', id: 'audit' },
    request: { id },
    details: { ...details, archive: 'a'.repeat(64) },
  }
  const signed = signRecord(event, { id: mac.id, secret: mac.key.reveal() })
  const row = { id, formatVersion: 1, tenantId: PLATFORM_TENANT, writer: 'test', ...signed }
  await withClient(db.as(RETENTION, 'x'), async (client) => {
    expect(await recordCut(client, row)).toBe(true)
    await seal(db)
    expect((await takePage(client, id, 5_000)).finished).toBe(true)
  })
}
