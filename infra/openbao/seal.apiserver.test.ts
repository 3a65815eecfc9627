import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAuthority, type Authority } from '../../test/support/certificates.ts'
import { freePorts, until } from '../../test/support/child.ts'
import { startOpenBao, type TestOpenBao } from '../../test/support/openbao.ts'
import { startStoreServer, type StoreServer } from '../../test/support/store-server.ts'
import { joiningConfig } from './config.ts'
import { sealEnvironment, type SealWish } from './seal.ts'

/** Two servers: one holds the key, the other is sealed by it. */
let sealer: TestOpenBao
let authority: Authority
let dir: string
let token = ''
let ports = { api: 0, cluster: 0 }
let server: StoreServer | undefined
const secret = randomBytes(16).toString('hex')

const sealedBy = (address: string): SealWish => ({
  seal: 'transit',
  transit: { address, keyName: 'unseal-prod', mountPath: 'transit/', secret: 'openbao-unseal' },
})

/** The pod gets the token in the variable that the StatefulSet names. */
const environment = (wish: SealWish) => {
  const [variable] = sealEnvironment(wish)
  return { [variable?.name ?? '']: token }
}

async function start(address = sealer.address): Promise<StoreServer> {
  const wish = sealedBy(address)
  server = await startStoreServer({
    dir,
    name: 'sealed',
    ports,
    authority,
    config: joiningConfig({ ...wish, replicas: 1 }),
    moved: { '/etc/palisade/seal/ca.crt': join(dir, 'sealer-ca.crt') },
    env: environment(wish),
  })
  return server
}

const opened = (one: StoreServer) =>
  until('an open store', 60_000, async () => {
    await one.child.assertRunning()
    return (await one.ask('GET', 'sys/health')).status === 200
  })

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-seal-'))
  authority = await makeAuthority(join(dir, 'authority'))
  sealer = await startOpenBao()
  await writeFile(join(dir, 'sealer-ca.crt'), sealer.ca)
  const [api = 0, cluster = 0] = await freePorts(2)
  ports = { api, cluster }
  await sealer.ask('POST', 'transit/keys/unseal-prod', {})
  await sealer.ask('POST', 'sys/policies/acl/unseal', {
    policy: ['encrypt', 'decrypt']
      .map((act) => `path "transit/${act}/unseal-prod" { capabilities = ["update"] }`)
      .join('\n'),
  })
  const made = await sealer.ask('POST', 'auth/token/create', {
    policies: ['unseal'],
    period: '24h',
    no_parent: true,
  })
  token = (made.body['auth'] as { client_token: string }).client_token
})
afterAll(async () => {
  await server?.stop()
  await sealer?.stop()
  if (dir) await rm(dir, { recursive: true })
})

describe('seal transit', () => {
  let root = ''

  it('opens a new store by itself with a key that stays where it is', async () => {
    const one = await start()
    await until('an answer', 60_000, async () => {
      await one.child.assertRunning()
      return (await one.ask('GET', 'sys/init')).status === 200
    })
    const made = await one.ask('PUT', 'sys/init', { recovery_shares: 1, recovery_threshold: 1 })
    expect(made.status).toBe(200)
    root = made.body['root_token'] as string
    await opened(one)
    await one.ask('POST', 'sys/mounts/kv', { type: 'kv' }, root)
    expect((await one.ask('POST', 'kv/a', { value: secret }, root)).status).toBeLessThan(300)
    const exported = await sealer.ask('GET', 'transit/export/encryption-key/unseal-prod')
    expect(exported.status).toBe(400)
  })

  it('unseals by itself after a restart', async () => {
    await server?.stop()
    const one = await start()
    await opened(one)
    expect((await one.ask('GET', 'kv/a', undefined, root)).body['data']).toEqual({ value: secret })
  })

  it('stays sealed while the server with the key is away, and opens when it is back', async () => {
    await server?.stop()
    const [nowhere = 0] = await freePorts(1)
    const one = await start(`https://127.0.0.1:${nowhere}`)
    for (let look = 0; look < 20; look += 1) {
      expect([0, 503]).toContain((await one.ask('GET', 'sys/health')).status)
      expect((await one.ask('GET', 'kv/a', undefined, root)).body).not.toHaveProperty('data')
      await sleep(250)
    }
    await one.stop()
    const again = await start()
    await opened(again)
    expect((await again.ask('GET', 'kv/a', undefined, root)).status).toBe(200)
  })

  it('has neither the token nor the value in its files', async () => {
    await server?.stop()
    const files = await readdir(join(dir, 'sealed'), { recursive: true, withFileTypes: true })
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map(async (file) => (await readFile(join(file.parentPath, file.name))).toString('latin1')),
    )
    expect(texts.length).toBeGreaterThan(2)
    expect(texts.some((text) => text.includes(token))).toBe(false)
    expect(texts.some((text) => text.includes(secret))).toBe(false)
  })
})
