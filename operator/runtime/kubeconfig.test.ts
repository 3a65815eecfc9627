import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpointOf } from './kubeconfig.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-kubeconfig-'))
})
afterAll(() => rm(dir, { recursive: true }))

/** Certificates may be texts or bytes. */
const inWords = (tls: object) =>
  Object.fromEntries(Object.entries(tls).map(([name, value]) => [name, String(value)]))

const encoded = (text: string) => Buffer.from(text).toString('base64')

async function kubeconfig(user: string, context = 'here', cluster = ''): Promise<string> {
  const path = join(dir, 'config')
  const text = `
apiVersion: v1
kind: Config
current-context: ${context}
contexts:
  - name: elsewhere
    context: { cluster: far, user: nobody }
  - name: here
    context: { cluster: near, user: me }
clusters:
  - name: far
    cluster: { server: https://far:6443 }
  - name: near
    cluster: { server: https://near:6443, certificate-authority-data: ${encoded('the authority')}${cluster} }
users:
  - name: me
    user: ${user}
`
  await writeFile(path, text)
  return path
}

describe('endpointOf', () => {
  it('is the cluster of the current context, with its authority and the token of its user', async () => {
    const endpoint = await endpointOf(await kubeconfig('{ token: mine }'))
    expect(endpoint.server).toBe('https://near:6443')
    expect(inWords(endpoint.tls)).toEqual({ ca: 'the authority' })
    expect(await endpoint.headers()).toEqual({ authorization: 'Bearer mine' })
  })

  it('takes a certificate from the text or from a file beside the kubeconfig', async () => {
    await writeFile(join(dir, 'me.key'), 'the key')
    const data = `client-certificate-data: ${encoded('the certificate')}`
    for (const key of [`client-key-data: ${encoded('the key')}`, 'client-key: me.key']) {
      const endpoint = await endpointOf(await kubeconfig(`{ ${data}, ${key} }`))
      expect(inWords(endpoint.tls)).toEqual({
        ...{ ca: 'the authority', cert: 'the certificate', key: 'the key' },
      })
      expect(await endpoint.headers()).toEqual({})
    }
  })

  it('asks a plugin for the token', async () => {
    const status = { token: 'of the plugin' }
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' }
    const answer = JSON.stringify({ ...credential, status })
    const exec = `{ apiVersion: ${credential.apiVersion}, command: echo, args: ['${answer}'] }`
    const endpoint = await endpointOf(await kubeconfig(`{ exec: ${exec} }`))
    expect(endpoint).toMatchObject({ server: 'https://near:6443', tls: { ca: 'the authority' } })
    expect(await endpoint.headers()).toMatchObject({ Authorization: 'Bearer of the plugin' })
  })

  it.each([
    ['acts as another user', '{ token: mine, as: reader }', '', '"as"'],
    ['goes by a proxy', '{ token: mine }', ', proxy-url: "http://proxy:3128"', '"proxy-url"'],
  ])('refuses one that %s, rather than do without', async (_, user, cluster, field) => {
    const refused = endpointOf(await kubeconfig(user, 'here', cluster))
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      detail: expect.stringContaining(field) as string,
    })
  })

  it('refuses one whose current context is not there', async () => {
    const path = await kubeconfig('{}', 'nowhere')
    await expect(endpointOf(path)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})
