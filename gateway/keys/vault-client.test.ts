import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '#core/clock'
import { VaultClient } from './vault-client.ts'

it('says of a refused login whose account to compare, whichever program asked', async () => {
  const server = createServer((_, response) => response.writeHead(400).end('{}'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const directory = await mkdtemp(join(tmpdir(), 'palisade-vault-'))
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, 'jwt')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const where = { address, authPath: 'kubernetes', role: 'palisade-database', tokenFile }
  const vault = new VaultClient(where, '', systemClock)
  try {
    await expect(vault.call('GET', 'one')).rejects.toMatchObject({
      code: 'ERR_KEYS_UNAVAILABLE',
      detail: 'Vault refused the login of role palisade-database (400)',
      remedy: expect.stringMatching(/of this program.*only in a store made with postgres.existing/),
    })
  } finally {
    await vault.close()
    server.close()
    await rm(directory, { recursive: true })
  }
})

it('logs in once for all requests that wait, at the start and after a token was revoked', async () => {
  let logins = 0
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/login')) {
      const auth = { client_token: `token-${++logins}`, lease_duration: 3600 }
      setTimeout(() => response.end(JSON.stringify({ auth })), 20)
      return
    }
    const revoked = request.headers['x-vault-token'] === 'token-1' && request.url?.endsWith('/two')
    response.writeHead(revoked ? 403 : 200).end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const directory = await mkdtemp(join(tmpdir(), 'palisade-vault-'))
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, 'jwt')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const where = { address, authPath: 'kubernetes', role: 'gateway', tokenFile }
  const vault = new VaultClient(where, '', systemClock)
  const twenty = (path: string) =>
    Promise.all(Array.from({ length: 20 }, () => vault.call('GET', path)))
  try {
    await twenty('one')
    expect(logins).toBe(1)
    expect((await twenty('two')).every(({ status }) => status === 200)).toBe(true)
    expect(logins).toBe(2)
  } finally {
    await vault.close()
    server.close()
    await rm(directory, { recursive: true })
  }
})
