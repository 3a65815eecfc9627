import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#core/clock'
import { OPENBAO_AUDIENCE } from '../../infra/names.ts'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { person, startGateway } from '../../test/support/gateway.ts'
import { startOpenBao, type TestOpenBao } from '../../test/support/openbao.ts'
import { startPalisadeDatabase, type PalisadeDatabase } from '../../test/support/postgres.ts'
import { untilItWorks } from '../retry.ts'
import { loadOrMakeDevelopmentUsers } from './development-users.ts'
import { loadPlatformKeys, reloadSigningKeys } from './platform-keys.ts'
import { VaultClient } from './vault-client.ts'
import { VaultKv } from './vault-kv.ts'
import { VaultTransitWrapper } from './vault-transit-wrapper.ts'

const SYSTEM = 'palisade-system'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'

let api: TestApiServer
let bao: TestOpenBao
let directory: string
const clients: VaultClient[] = []

beforeAll(async () => {
  ;[api, bao] = await Promise.all([startApiServer(), startOpenBao()])
  directory = await mkdtemp(join(tmpdir(), 'palisade-gateway-keys-'))
  await api.namespace(SYSTEM)
  const reviewer = await api.token(SYSTEM, 'openbao')
  await api.apply(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'openbao-reviews-tokens' },
      ...{
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:auth-delegator',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'openbao', namespace: SYSTEM }],
      },
    },
    `${RBAC}/clusterrolebindings`,
  )
  await bao.trust({ url: api.url, ca: api.ca, reviewer })
})
afterAll(async () => {
  await Promise.allSettled([...clients.map((client) => client.close()), api?.stop(), bao?.stop()])
  if (directory) await rm(directory, { recursive: true, force: true })
})

/** A client that logs in with the token of this account, for the audience that the store asks for. */
async function clientOf(account: string, audience = OPENBAO_AUDIENCE): Promise<VaultClient> {
  await api.token(SYSTEM, account)
  const path = `/api/v1/namespaces/${SYSTEM}/serviceaccounts/${account}/token`
  const answer = await api.post(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600, audiences: [audience] },
  })
  const { token } = api.expectOk(answer)['status'] as { token: string }
  const tokenFile = join(directory, `${account}-${randomUUID()}`)
  await writeFile(tokenFile, token, { mode: 0o600 })
  const where = {
    address: bao.address,
    authPath: 'kubernetes',
    role: 'palisade-gateway',
    tokenFile,
  }
  const client = new VaultClient(where, bao.ca, systemClock)
  clients.push(client)
  return client
}

const wrapperOf = async (account = 'gateway') => new VaultTransitWrapper(await clientOf(account))

describe('VaultTransitWrapper', () => {
  it('wraps under a key per tenant, and the key of another does not unwrap', async () => {
    const wrapper = await wrapperOf()
    const [a, b] = [`tenant-${randomUUID()}`, `tenant-${randomUUID()}`]
    await wrapper.ensureKey(a)
    await wrapper.ensureKey(b)
    const plain = randomBytes(64)
    const wrapped = await wrapper.wrap(a, plain)
    expect(wrapped).toMatch(/^vault:v1:/)
    expect(Buffer.from(await wrapper.unwrap(a, wrapped))).toEqual(plain)
    await expect(wrapper.unwrap(b, wrapped)).rejects.toMatchObject({
      code: 'ERR_SECRET_UNREADABLE',
    })
  })

  it('leaves a key that exists as it is, so that two replicas may ask for it', async () => {
    const [one, two] = [await wrapperOf(), await wrapperOf()]
    const key = `tenant-${randomUUID()}`
    await Promise.all([one.ensureKey(key), two.ensureKey(key), one.ensureKey(key)])
    const wrapped = await one.wrap(key, Buffer.from('x'))
    await two.ensureKey(key)
    expect(Buffer.from(await two.unwrap(key, wrapped)).toString()).toBe('x')
  })

  it('makes keys that cannot be exported', async () => {
    const key = `user-${randomUUID()}`
    await (await wrapperOf()).ensureKey(key)
    const { body } = await bao.ask('GET', `transit/keys/${key}`)
    expect(body['data']).toMatchObject({ exportable: false, deletion_allowed: false })
  })

  it('cannot touch a key that is neither a tenant nor a user', async () => {
    const wrapper = await wrapperOf()
    await expect(wrapper.ensureKey('audit-checkpoint')).rejects.toMatchObject({
      code: 'ERR_KEYS_UNAVAILABLE',
    })
  })

  it('logs in again when its token was revoked', async () => {
    const wrapper = await wrapperOf()
    const key = `tenant-${randomUUID()}`
    await wrapper.ensureKey(key)
    await bao.ask('POST', 'sys/leases/revoke-prefix/auth/kubernetes/login')
    await expect(wrapper.wrap(key, Buffer.from('x'))).resolves.toMatch(/^vault:/)
  })
})

describe('VaultClient', () => {
  it.each([
    ['the account of the operator', 'operator', OPENBAO_AUDIENCE],
    ['a token for another audience', 'gateway', 'other'],
  ])('is refused with %s, and the error carries no token', async (_, account, audience) => {
    const client = await clientOf(account, audience)
    const error = await client
      .call('GET', 'platform/data/gateway/jwt-keys')
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'ERR_KEYS_UNAVAILABLE' })
    expect(String(error)).not.toMatch(/eyJ/)
  })

  it('reads no value of an application', async () => {
    const client = await clientOf('gateway')
    await expect(client.call('GET', 'apps/data/shop/db')).rejects.toMatchObject({
      code: 'ERR_KEYS_UNAVAILABLE',
    })
  })
})

describe('loadPlatformKeys', () => {
  it('gives five replicas that start at once the same keys, made once', async () => {
    const stores = await Promise.all(
      Array.from({ length: 5 }, async () => new VaultKv(await clientOf('gateway'), 'platform')),
    )
    const all = await Promise.all(stores.map((kv) => loadPlatformKeys(kv, systemClock)))
    expect(new Set(all.map(({ signing }) => signing.current.kid)).size).toBe(1)
    expect(new Set(all.map(({ auditMac }) => auditMac[0]?.id)).size).toBe(1)
    const macs = all.map(({ headMac }) =>
      Buffer.from(headMac[0]?.key.reveal() ?? []).toString('hex'),
    )
    expect(new Set(macs).size).toBe(1)
    const again = stores[0] && (await reloadSigningKeys(stores[0], systemClock, () => undefined))
    expect(again?.current.kid).toBe(all[0]?.signing.current.kid)
  })

  it('cannot replace a key that exists', async () => {
    const client = await clientOf('gateway')
    const body = { data: { keys: '[]' }, options: { cas: 1 } }
    await expect(client.call('POST', 'platform/data/gateway/jwt-keys', body)).rejects.toMatchObject(
      { code: 'ERR_KEYS_UNAVAILABLE' },
    )
  })
})

describe('loadOrMakeDevelopmentUsers', () => {
  it('makes one user once, whose login is the body of the request', async () => {
    const kv = new VaultKv(await clientOf('gateway'), 'platform')
    const first = await loadOrMakeDevelopmentUsers(kv, 'dev')
    const second = await loadOrMakeDevelopmentUsers(kv, 'dev')
    expect(second).toEqual(first)
    expect(JSON.parse(first.login)).toMatchObject({ email: first.users[0]?.email })
  })

  it.each(['staging', 'production'] as const)('refuses profile %s', async (profile) => {
    const kv = new VaultKv(await clientOf('gateway'), 'platform')
    await expect(loadOrMakeDevelopmentUsers(kv, profile)).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })
})

describe('a sealed Vault', () => {
  let db: PalisadeDatabase
  beforeAll(async () => (db = await startPalisadeDatabase()))
  // A case that failed leaves it sealed, and all others would fail with it.
  afterEach(() => bao.unseal())
  afterAll(() => db?.stop())

  it('is not ready, and nothing is unwrapped', async () => {
    const wrapper = await wrapperOf()
    const key = `tenant-${randomUUID()}`
    await wrapper.ensureKey(key)
    const wrapped = await wrapper.wrap(key, Buffer.from('x'))
    expect(await wrapper.ready()).toEqual({ ok: true, reason: 'unsealed' })
    await bao.seal()
    expect(await wrapper.ready()).toMatchObject({ ok: false })
    await expect(wrapper.unwrap(key, wrapped)).rejects.toMatchObject({
      code: 'ERR_KEYS_UNAVAILABLE',
    })
    await bao.unseal()
    expect(Buffer.from(await wrapper.unwrap(key, wrapped)).toString()).toBe('x')
  })

  it('lets a gateway read what it has the key of, refuses the rest, and mends that by itself', async () => {
    const gateway = await startGateway(db, { directory, wrapper: await wrapperOf() })
    const [alice, bob] = [person(), person()]
    for (const { id: userId, tenantId } of [alice, bob]) {
      await gateway.store.ensureUser({ userId, tenantId })
    }
    const put = (name: string) =>
      gateway.ask(alice, 'PUT', `/api/secrets/${name}`, { body: { value: `value of ${name}` } })
    const get = (name: string, who = alice) => gateway.ask(who, 'GET', `/api/secrets/${name}`)
    for (const name of ['known', 'unknown']) expect((await put(name)).statusCode).toBe(201)
    expect((await get('known')).statusCode).toBe(200)
    await bao.seal()
    try {
      expect((await get('known')).json()).toMatchObject({ value: 'value of known' })
      const refusals = [await get('unknown'), await put('known'), await put('new')]
      // Of a person nobody has read here, not even the refusal can be recorded.
      refusals.push(await get('known', bob))
      for (const refused of refusals) {
        expect(refused.json()).toMatchObject({ status: 503, code: 'ERR_KEYS_UNAVAILABLE' })
        expect(refused.headers['retry-after']).toBe('1')
        expect(refused.body).not.toContain('value of')
      }
    } finally {
      await bao.unseal()
    }
    expect((await get('unknown')).json()).toMatchObject({ value: 'value of unknown' })
    expect((await get('known')).json()).toMatchObject({ version: 1 })
    expect((await get('new')).statusCode).toBe(404)
    await gateway.stop()
  })

  it('at the start is waited for', async () => {
    await bao.seal()
    const kv = new VaultKv(await clientOf('gateway'), 'platform')
    const waits: string[] = []
    const log = { warn: ({ code }: { code: string }) => void waits.push(code) }
    const keys = untilItWorks(log as unknown as FastifyBaseLogger, 'keys', () =>
      loadPlatformKeys(kv, systemClock),
    )
    await expect.poll(() => waits.length).toBeGreaterThan(0)
    await bao.unseal()
    await expect(keys).resolves.toHaveProperty('signing')
    expect(new Set(waits)).toEqual(new Set(['ERR_KEYS_UNAVAILABLE']))
  })
})
