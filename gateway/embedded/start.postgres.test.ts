import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeAuthority } from '../../test/support/certificates.ts'
import { EmbeddedProcess } from '../../test/support/embedded-process.ts'
import {
  serveTls,
  startPalisadeDatabase,
  startPostgres,
  type TestPostgres,
} from '../../test/support/postgres.ts'

// Some start it four times, beside whatever else this machine does.
vi.setConfig({ testTimeout: 180_000 })

let folder: string
let authority: Awaited<ReturnType<typeof makeAuthority>>
let running: EmbeddedProcess | undefined
let server: TestPostgres | undefined
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-embedded-start-'))
  // The embedded server is another user when this is root, and has to get through.
  await chmod(folder, 0o755)
  authority = await makeAuthority(join(folder, 'authority'))
})
afterEach(async () => {
  await running?.stop()
  await server?.stop()
  running = server = undefined
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function start(env: NodeJS.ProcessEnv = {}): Promise<EmbeddedProcess> {
  running = await EmbeddedProcess.start(join(folder, randomUUID()), env)
  return running
}

/** What it says when it ends; it has told no password and made nothing. */
async function refused(url: string): Promise<string> {
  const one = await start({ DATABASE_URL: url })
  expect(await one.ended()).toBe(1)
  expect(existsSync(one.data), one.output()).toBe(false)
  const { password } = new URL(url)
  if (password !== '') expect(one.output()).not.toContain(password)
  return one.output()
}

/** Addresses of this machine on which a port is open, as /proc/net/tcp writes them. */
async function addressesOf(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  )
  const wanted = port.toString(16).padStart(4, '0').toUpperCase()
  return tables
    .join('')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === '0A' && local.endsWith(`:${wanted}`))
    .map(([, local = '']) => local.split(':')[0] ?? '')
}

async function keepsASecret(one: EmbeddedProcess): Promise<void> {
  const token = await one.logIn()
  const stored = await one.ask('PUT', '/api/secrets/greeting', { value: 'hello' }, token)
  expect(stored.status, JSON.stringify(stored.body)).toBe(201)
  const read = await one.ask('GET', '/api/secrets/greeting', undefined, token)
  expect(read.body).toMatchObject({ version: 1, value: 'hello' })
}

/**
 * Ten seconds are promised of a machine with nothing else to do (measured: bench/results/bring-up.md). A run of all
 * tests computes something else on the same cores; the slowest start seen beside much other work took 25.4 s.
 */
const LOADED_MS = 60_000

describe('a first npm start', () => {
  it('answers within a minute beside other tests, on loopback alone, and counts attempts to log in by itself', async () => {
    const one = await start()
    const took = await one.answers(LOADED_MS)
    console.log(`embedded, first start: ${(took / 1000).toFixed(1)} s`)
    for (const port of [one.port, one.operationsPort])
      expect(await addressesOf(port)).toEqual(['0100007F'])
    await keepsASecret(one)
    const wrong = { email: 'dev@palisade.localhost', password: 'wrong' }
    const answers = []
    for (let i = 0; i < 6; i += 1) answers.push(await one.ask('POST', '/api/v1/auth/login', wrong))
    const last = answers.at(-1)
    expect(last?.status).toBe(429)
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('npm start that is told to end', () => {
  it('leaves no server behind', async () => {
    const one = await start()
    await one.answers(120_000)
    await one.stop()
    await expect.poll(() => addressesOf(one.port)).toEqual([])
    await expect.poll(() => addressesOf(one.operationsPort)).toEqual([])
    await expect.poll(() => existsSync(join(one.data, 'postgres/postmaster.pid'))).toBe(false)
  })
})

describe('npm start with DATABASE_URL', () => {
  it('prepares the database of a superuser over TLS, serves from it and keeps none of its own', async () => {
    server = await startPostgres({
      accessRules: ['hostssl all all 127.0.0.1/32 scram-sha-256', 'host all all all reject'],
    })
    await serveTls(server, await authority.issue('server'))
    const password = randomUUID()
    await server.query(`create role root_of_test superuser login password '${password}'`)
    const tls = `sslmode=verify-full&sslrootcert=${encodeURIComponent(authority.caPath)}`
    const one = await start({
      DATABASE_URL: `postgresql://root_of_test:${password}@localhost:${server.port}/palisade?${tls}`,
    })
    await one.answers()
    await keepsASecret(one)
    await expect.poll(() => one.output()).toContain('the database of DATABASE_URL')
    expect(await readdir(one.data)).not.toContain('postgres')
    // One process of its own seals as well, under a login of its own.
    await expect.poll(one.metrics).toContain('palisade_audit_unsealed_rows 0')
    const open = await server.query<{ usename: string; ssl: boolean }>(
      `select distinct a.usename, s.ssl from pg_stat_activity a join pg_stat_ssl s using (pid)
       where a.usename like 'palisade%' order by 1`,
    )
    expect(open).toEqual([
      { usename: 'palisade_app_a', ssl: true },
      { usename: 'palisade_sealer_a', ssl: true },
    ])
    expect(one.output()).not.toContain(password)
  })

  it('takes a login of the application as it is, and a wrong one not at all', async () => {
    const db = await startPalisadeDatabase()
    server = db
    const urlOf = (login: string) => `postgresql://${login}@127.0.0.1:${db.port}/palisade`
    const { user, password } = db.app
    const one = await start({ DATABASE_URL: urlOf(`${user}:${String(password)}`) })
    await one.answers()
    await keepsASecret(one)
    await one.stop()
    const unfit = await refused(urlOf('palisade_migrator'))
    expect(unfit).toMatch(/ERR_CONFIG_INVALID: .*log in as a member of palisade_app/s)
    const wrong = await refused(urlOf(`${user}:secret-0815`))
    expect(wrong).toMatch(/ERR_DATABASE_UNAVAILABLE: .*names it with a valid user/s)
    // This server speaks no TLS.
    const clear = await refused(`${urlOf(`${user}:${String(password)}`)}?sslmode=verify-full`)
    expect(clear).toMatch(/ERR_DATABASE_UNAVAILABLE: .*with the TLS that it speaks/s)
  })

  it('names a database that does not answer, and the way out', async () => {
    const output = await refused('postgresql://somebody:secret-0815@127.0.0.1:1/none')
    expect(output).toMatch(/ERR_DATABASE_UNAVAILABLE: .*see that the server runs/s)
  })

  it('names a certificate that is not there', async () => {
    const output = await refused('postgresql://somebody@127.0.0.1:1/none?sslrootcert=/not/there')
    expect(output).toMatch(/ERR_DATABASE_UNAVAILABLE: .*with the TLS that it speaks/s)
  })
})
