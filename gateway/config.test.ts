import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readGatewayConfig } from './config.ts'
import { readEmbeddedConfig } from './embedded/config.ts'

const wiring = {
  PALISADE_PROFILE: 'production',
  PALISADE_VAULT_ADDR: 'https://openbao.test:8200',
  PALISADE_REDIS_ADDR: 'redis.test:6379',
  PALISADE_PUBLIC_URL: 'https://api.test/',
}
let mounts: string

beforeAll(async () => {
  mounts = await mkdtemp(join(tmpdir(), 'palisade-config-'))
  const files = {
    'gateway-db': { host: 'db.test', username: 'app', password: 'db-file-password', dbname: 'p' },
    'gateway-redis': { username: 'gateway', password: 'redis-file-password' },
    config: { 'body.limit': '4096' },
  }
  for (const [directory, values] of Object.entries(files)) {
    await mkdir(join(mounts, directory))
    for (const [name, value] of Object.entries(values)) {
      await writeFile(join(mounts, directory, name), `${value}\n`)
    }
  }
})
afterAll(() => rm(mounts, { recursive: true, force: true }))

const read = (env: object = {}, vault: Record<string, string> = {}, from = mounts) =>
  readGatewayConfig(async () => vault, { ...wiring, ...env }, from)

describe('readGatewayConfig', () => {
  it('takes secrets from mounted files and addresses from the pod', async () => {
    const config = await read()
    expect(config.database).toMatchObject({ host: 'db.test', port: 5432, user: 'app' })
    expect(config.database.password.reveal()).toBe('db-file-password')
    expect(config.redis).toMatchObject({ host: 'redis.test', port: 6379 })
    expect(config.publicUrl).toBe('https://api.test')
    expect(config.bodyLimit).toBe(4096)
  })

  it('prefers Vault to a file and a file to the environment', async () => {
    const env = { PALISADE_BODY_LIMIT: '9999', PALISADE_REPLICAS: '3' }
    const config = await read(env, { 'redis.password': 'from-vault' })
    expect(config.redis.password.reveal()).toBe('from-vault')
    expect(config.bodyLimit).toBe(4096)
    expect(config.replicas).toBe(3)
    expect((await read(env, { 'body.limit': '2048' })).bodyLimit).toBe(2048)
  })

  it.each(['staging', 'production'])(
    'refuses a secret from the environment in profile %s',
    async (profile) => {
      const env = {
        PALISADE_PROFILE: profile,
        PALISADE_DATABASE_PASSWORD: 'x',
        PALISADE_DATABASE_HOST: 'h',
        PALISADE_DATABASE_USERNAME: 'u',
        PALISADE_REDIS_USERNAME: 'r',
        PALISADE_REDIS_PASSWORD: 'y',
      }
      const refusal = read(env, {}, '/nonexistent')
      await expect(refusal).rejects.toMatchObject({ code: 'ERR_CONFIG_SOURCE_REFUSED' })
      const taken = await read({ ...env, PALISADE_PROFILE: 'dev' }, {}, '/nonexistent')
      expect(taken.fallbacks).toEqual(['database.password', 'redis.password'])
    },
  )

  it('says of nothing that it fell back where files and addresses are as a cluster gives them', async () => {
    expect((await read()).fallbacks).toEqual([])
  })

  it('reads .env in profile dev, behind everything else, and names what stands there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-dotenv-'))
    await writeFile(join(folder, '.env'), 'PALISADE_REPLICAS=7\nPALISADE_BODY_LIMIT=9999\n')
    const dotEnv = join(folder, '.env')
    const inDev = { ...wiring, PALISADE_PROFILE: 'dev' }
    const config = await readGatewayConfig(async () => ({}), inDev, mounts, dotEnv)
    expect(config).toMatchObject({ replicas: 7, bodyLimit: 4096, fallbacks: ['replicas'] })
    const refused = readGatewayConfig(async () => ({}), wiring, mounts, dotEnv)
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CONFIG_SOURCE_REFUSED' })
    await rm(folder, { recursive: true })
  })

  it('finds the API server where the kubelet says it is, and knows the operator by its account', async () => {
    const kubelet = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
    expect((await read(kubelet)).workloads).toEqual({
      cluster: 'default',
      operator: 'system:serviceaccount:palisade-system:operator',
      audience: 'palisade-gateway',
      apiServer: {
        url: 'https://10.96.0.1:443',
        directory: '/var/run/secrets/palisade/kubernetes',
      },
    })
    const six = await read({ KUBERNETES_SERVICE_HOST: 'fd00::1', PALISADE_CLUSTER_ID: 'main' })
    expect([six.workloads.apiServer.url, six.workloads.cluster]).toEqual([
      'https://[fd00::1]:443',
      'main',
    ])
  })

  it('is frozen and shows no secret when it is printed', async () => {
    const config = await read()
    expect(Object.isFrozen(config)).toBe(true)
    expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toMatch(/file-password/)
  })

  it.each([
    ['PALISADE_PROFILE', { PALISADE_PROFILE: 'prod' }, 'dev, staging, production'],
    ['vault.addr', { PALISADE_VAULT_ADDR: undefined }, 'PALISADE_VAULT_ADDR'],
    ['vault.addr', { PALISADE_VAULT_ADDR: 'openbao:8200' }, 'URL'],
    ['redis.addr', { PALISADE_REDIS_ADDR: 'redis' }, '<host>:<port>'],
    ['replicas', { PALISADE_REPLICAS: 'two' }, '1 to 50'],
    ['trusted.proxies', { PALISADE_TRUSTED_PROXIES: '10.0.0.0' }, 'CIDR'],
    ['trusted.proxies', { PALISADE_TRUSTED_PROXIES: 'true' }, 'CIDR'],
  ])('names %s and the remedy when it is wrong', async (name, env, remedy) => {
    const error: unknown = await read(env).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(String(error)).toContain(name)
    expect(String(error)).toContain(remedy)
  })
})

describe('readEmbeddedConfig', () => {
  it('listens on loopback unless it is told otherwise', () => {
    expect(readEmbeddedConfig([], {}, false)).toMatchObject({ host: '127.0.0.1', port: 3000 })
    expect(readEmbeddedConfig(['--listen', '0.0.0.0'], {}, false)).toMatchObject({
      host: '0.0.0.0',
    })
  })

  it('keeps its data under XDG_DATA_HOME, and for root where another user can get to', () => {
    const directory = (env: object, isRoot: boolean) => {
      const config = readEmbeddedConfig([], env as Record<string, string>, isRoot)
      return config === 'help' ? config : config.dataDirectory
    }
    expect(directory({ XDG_DATA_HOME: '/data' }, true)).toBe('/data/palisade')
    expect(directory({}, true)).toBe('/var/lib/palisade')
    expect(directory({}, false)).toMatch(/\.local\/share\/palisade$/)
  })
})
