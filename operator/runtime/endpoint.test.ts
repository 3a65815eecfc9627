import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpointInCluster } from './endpoint.ts'

let account: string
beforeAll(async () => {
  account = await mkdtemp(join(tmpdir(), 'palisade-account-'))
  await writeFile(join(account, 'ca.crt'), 'the authority')
})
afterAll(() => rm(account, { recursive: true }))

describe('endpointInCluster', () => {
  it('trusts the authority of the account and sends its token, read again after a minute', async () => {
    let now = 0
    await writeFile(join(account, 'token'), 'first\n')
    const endpoint = await endpointInCluster('https://10.96.0.1:443', account, () => now)
    expect(endpoint).toMatchObject({
      server: 'https://10.96.0.1:443',
      tls: { ca: 'the authority' },
    })
    expect(await endpoint.headers()).toEqual({ authorization: 'Bearer first' })
    await writeFile(join(account, 'token'), 'second\n')
    now = 59_000
    expect(await endpoint.headers()).toEqual({ authorization: 'Bearer first' })
    now = 60_000
    expect(await endpoint.headers()).toEqual({ authorization: 'Bearer second' })
  })
})
