import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
} from '../../test/support/postgres.ts'
import { startStandby, type TestStandby } from '../../test/support/standby.ts'
import { PostgresDatabase } from './postgres.ts'

const OWNER = 'test/palisade-system/gateway-db/uid'
const ROLE = 'palisade_app_a'

let primary: PalisadeDatabase
let standby: TestStandby
let addresses: readonly string[]
let database: PostgresDatabase

beforeAll(async () => {
  primary = await startPalisadeDatabase()
  standby = await startStandby(primary)
  addresses = [primary.host, standby.host]
  database = new PostgresDatabase({
    host: primary.host,
    port: primary.port,
    database: primary.database,
    ca: undefined,
    client: { user: 'palisade_operator' },
    instances: { host: 'instances', port: primary.port },
    resolve: () => Promise.resolve(addresses),
  })
})
afterAll(async () => {
  await database?.close()
  await standby?.stop()
  await primary?.stop()
})

/** A session of the app on one of the instances. */
const onStandby = <T>(use: (closed: Promise<unknown>) => Promise<T>) =>
  withClient({ ...primary.app, host: standby.host, application_name: 'report' }, (client) => {
    const closed = new Promise((resolve) => client.on('error', resolve))
    return use(closed)
  })

describe('sessions', () => {
  it('are those of every instance, each once', async () => {
    await withClient({ ...primary.app, application_name: 'writer' }, () =>
      onStandby(async () => {
        const { sessions, silent } = await database.sessions(ROLE)
        expect(sessions.map(({ application }) => application).sort()).toEqual(['report', 'writer'])
        expect(silent).toEqual([])
      }),
    )
  })

  it('are unknown, not none, on an instance that gives no answer', async () => {
    addresses = [...addresses, '127.0.0.3']
    const { silent } = await database.sessions(ROLE)
    expect(silent).toEqual([`127.0.0.3:${primary.port}`])
    addresses = addresses.slice(0, 2)
  })

  it('are an error when the name resolves to nothing', async () => {
    addresses = []
    await expect(database.sessions(ROLE)).rejects.toMatchObject({ code: 'ERR_BACKEND_UNREACHABLE' })
    addresses = [primary.host, standby.host]
  })
})

describe('terminate', () => {
  const fence = (expected: number) => ({ owner: OWNER, expected, next: expected + 1 })
  const pastTheStandby = async (expected: number) =>
    expect(await database.enable(ROLE, fence(expected))).toEqual({ kind: 'done' })
  /** Until the standby has replayed what the primary says, the call is refused there. */
  const terminated = (expected: number) =>
    expect
      .poll(() => database.terminate(ROLE, fence(expected)), { timeout: 20_000 })
      .toEqual({ kind: 'done', silent: [] })

  it('ends sessions on a replica as well', async () => {
    await pastTheStandby(0)
    await onStandby(async (closed) => {
      await terminated(1)
      expect(await closed).toMatchObject({ code: '57P01' })
    })
  })

  it('names a replica that has not seen the login closed, and one that gives no answer', async () => {
    await standby.pause()
    await pastTheStandby(1)
    addresses = [...addresses, '127.0.0.3']
    expect(await database.terminate(ROLE, fence(2))).toEqual({
      kind: 'done',
      silent: [
        { instance: `${standby.host}:${primary.port}`, why: 'has not caught up' },
        { instance: `127.0.0.3:${primary.port}`, why: 'gives no answer' },
      ],
    })
    addresses = addresses.slice(0, 2)
    await standby.resume()
    await terminated(2)
  })

  it('is refused for an old number on every instance', async () => {
    expect(await database.terminate(ROLE, fence(1))).toMatchObject({ kind: 'stale' })
  })
})
