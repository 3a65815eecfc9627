import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterNode } from '../../local/bare/inside.ts'
import { stateDir } from '../../local/paths.ts'
import { kubectl } from '../support/cluster.ts'
import { psql } from '../support/database.ts'
import { accessToken, developmentLogin, type EdgeClient, edgeClient } from '../support/edge.ts'
import { valuesOfSecrets, valuesOfVault } from '../support/live-values.ts'
import { find, formsOf, type Value } from '../support/needles.ts'
import { forgetRetired, retiredValues } from '../support/retired-values.ts'
import { openVault, type Vault } from '../support/vault.ts'

const PODS = ['/var/log/pods']
const NAMES = [
  'gateway-db password',
  'sealer-db version',
  'sealer-db retired',
  'jwt-keys',
  'audit-mac',
]
const canary = { name: 'canary', text: `canary/${randomBytes(24).toString('base64')}` }
let edge: EdgeClient
let vault: Vault
let values: Value[]

/** Uses what is looked for afterwards, but for the credentials that the tests before it retired. */
beforeAll(async () => {
  edge = await edgeClient()
  vault = await openVault()
  const token = await accessToken(edge)
  const path = `/api/secrets/canary-${randomUUID().slice(0, 8)}`
  const stored = await edge.call(path, {
    method: 'PUT',
    token,
    json: { value: canary.text },
    headers: { 'idempotency-key': randomUUID() },
  })
  expect(stored.status, stored.body).toBe(201)
  expect(JSON.parse((await edge.call(path, { token })).body)).toMatchObject({ value: canary.text })

  values = [
    canary,
    { name: 'access token', text: token.split('.')[2] ?? '' },
    { name: 'password of the development user', text: (await developmentLogin()).password },
    ...(await retiredValues()),
    ...(await valuesOfSecrets()),
    ...(await valuesOfVault(vault)),
  ]
})
afterAll(async () => {
  await edge?.close()
  await vault?.close()
  await forgetRetired()
})

const processes = (file: 'cmdline' | 'environ'): string =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(join('/proc', pid, file), 'utf8').replaceAll('\0', '\n')
      } catch {
        return '' // It has ended.
      }
    })
    .join('\n')

describe('the search itself', () => {
  it('has live and retired values to look for', () => {
    const names = values.map(({ name }) => name).join('\n')
    for (const name of NAMES) {
      expect(names, 'gateway-credential.cluster.test.ts comes before').toContain(name)
    }
    expect(values.length).toBeGreaterThan(15)
    for (const { name, text } of values) expect(text.length, name).toBeGreaterThanOrEqual(16)
  })

  it.each(formsOf(canary.text).map((_, index) => index))(
    'finds form %d of a value inside other text',
    async (index) => {
      const text = `x${formsOf(canary.text)[index] ?? ''}y`
      expect(await find([canary], { text, place: 'text' })).toEqual(['text: canary'])
    },
  )

  it('finds the values where they belong: in the Secrets', async () => {
    const text = await kubectl('get', 'secrets', '-A', '-o', 'json')
    const found = await find(values, { text, place: 'Secrets' })
    expect(found.join('\n')).toContain('Secret palisade-system/gateway-redis password')
  })

  it('reads the folders that it is given, on this machine and in the node', async () => {
    const logs = await find([{ name: 'start', text: 'requestReceivedTimestamp' }], {
      paths: [join(stateDir(), 'logs')],
    })
    expect(logs.join()).toContain('kube-apiserver-audit.log: start')
    const enter = await enterNode(stateDir())
    const pods = await find([{ name: 'start', text: '"msg":"Sealing"' }], { paths: PODS }, enter)
    expect(pods.join()).toMatch(/palisade-system_sealer.*: start/)
  })

  it('reads a log that the kubelet has rotated and packed, on this machine and in the node', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'palisade-rotated-'))
    const packed = join(folder, 'pod', '0.log.20261128-030405.gz')
    mkdirSync(join(folder, 'pod'))
    writeFileSync(packed, gzipSync(`started\npassword=${canary.text}\n`))
    for (const enter of [[], await enterNode(stateDir())])
      expect(await find([canary], { paths: [folder] }, enter)).toEqual([`${packed}: canary`])
    writeFileSync(packed, gzipSync('started').subarray(0, -4))
    await expect(find([canary], { paths: [folder] })).rejects.toThrow(/unexpected end of file/)
    rmSync(folder, { recursive: true })
  })
})

describe('no live or retired value stands', () => {
  it('in the state of Pulumi or a log of this machine', async () => {
    const paths = ['pulumi', 'logs'].map((folder) => join(stateDir(), folder))
    expect(await find(values, { paths })).toEqual([])
  })

  it('in a log of a Pod', async () => {
    const enter = await enterNode(stateDir())
    expect(await find(values, { paths: PODS }, enter)).toEqual([])
  })

  it('in an event, a status, or any object but a Secret', async () => {
    const kinds = await kubectl('api-resources', '--verbs=list', '-o', 'name')
    const wanted = kinds
      .trim()
      .split('\n')
      .filter((kind) => kind !== 'secrets')
    const text = await kubectl('get', wanted.join(), '-A', '-o', 'json')
    expect(text).toContain('"kind": "Event"')
    expect(text).toContain('"kind": "SecretRotation"')
    expect(await find(values, { text, place: 'objects' })).toEqual([])
  })

  it('in the command line of a process', async () => {
    expect(await find(values, { text: processes('cmdline'), place: 'cmdline' })).toEqual([])
  })

  it('in the environment of a process, but for applications that ask for their value there', async () => {
    const platforms = values.filter(({ name }) => !/(apps\/|Secret )shop\//.test(name))
    expect(platforms.length).toBeGreaterThan(15)
    expect(await find(platforms, { text: processes('environ'), place: 'environ' })).toEqual([])
  })

  it('in a row of the database', async () => {
    const tables = await psql(
      `select format('select t::text from %I.%I t;', schemaname, tablename) from pg_tables
       where schemaname like 'palisade%'`,
    )
    const rows = await psql(tables.flat().join('\n'))
    const records = await psql(
      `select convert_from(record, 'utf8') from palisade.secret_audit_logs`,
    )
    expect(records.length).toBeGreaterThan(0)
    const text = [...rows, ...records].map((row) => row.join('\t')).join('\n')
    expect(await find(values, { text, place: 'database' })).toEqual([])
  })

  it('in a metric', async () => {
    const prometheus =
      '/api/v1/namespaces/palisade-monitoring/services/https:prometheus-operated:9090'
    const match = encodeURIComponent('{__name__=~".+"}')
    const text = await kubectl('get', '--raw', `${prometheus}/proxy/federate?match[]=${match}`)
    expect(text).toContain('http_requests_total')
    expect(await find(values, { text, place: 'metrics' })).toEqual([])
  })
})
