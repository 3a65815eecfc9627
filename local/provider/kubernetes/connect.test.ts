import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { describe, expect, it } from 'vitest'
import { plainLogin } from '#core/plain-kubeconfig'
import { connect } from './connect.ts'
import type { ConnectionWish } from './connection.ts'
import { libraryConnection } from './library-connection.ts'

const base64 = (words: string) => Buffer.from(words).toString('base64')

const kubeconfig = (cluster: object, user: object, context: object = {}) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'here', cluster: { server: 'https://here.invalid:6443', ...cluster } },
      { name: 'there', cluster: { server: 'https://there.invalid' } },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'one', context: { cluster: 'here', user: 'me', ...context } },
      { name: 'two', context: { cluster: 'there', user: 'me', namespace: 'shop' } },
    ],
    'current-context': 'one',
  })

const AUTHORITY = { 'certificate-authority-data': base64('an authority') }
const CERTIFICATE = {
  'client-certificate-data': base64('a certificate'),
  'client-key-data': base64('a key'),
}

/** Certificates may be texts or bytes. */
async function seen(connection: Awaited<ReturnType<typeof connect>>) {
  const tls = Object.entries(connection.tls).map(([name, value]) => [
    name,
    typeof value === 'boolean' ? value : String(value),
  ])
  return {
    ...connection,
    tls: Object.fromEntries(tls) as object,
    headers: await connection.headers(),
  }
}

describe('connect', () => {
  it.each<[string, string, ConnectionWish]>([
    ['a certificate', kubeconfig(AUTHORITY, CERTIFICATE), {}],
    ['a token', kubeconfig(AUTHORITY, { token: 'a-token' }, { namespace: 'shop' }), {}],
    ['another context', kubeconfig(AUTHORITY, { token: 'a-token' }), { context: 'two' }],
    ['another namespace', kubeconfig({}, CERTIFICATE, { namespace: 'a' }), { namespace: 'b' }],
    ['another name of the server', kubeconfig({ 'tls-server-name': 'api' }, CERTIFICATE), {}],
    ['no check of the server', kubeconfig({ 'insecure-skip-tls-verify': true }, CERTIFICATE), {}],
  ])('reads %s as the client library does, and without it', async (_, text, wish) => {
    expect(plainLogin(text, wish.context)).toBeDefined()
    const expected = await seen(await libraryConnection({ kubeconfig: text, ...wish }))
    expect(await seen(await connect({ kubeconfig: text, ...wish }))).toEqual(expected)
  })

  it('reads files that the kubeconfig names', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'palisade-kubeconfig-'))
    const at = (name: string) => join(folder.path, name)
    for (const name of ['ca', 'crt', 'key']) await writeFile(at(name), `the ${name}`)
    const files = { 'client-certificate': at('crt'), 'client-key': at('key') }
    const text = kubeconfig({ 'certificate-authority': at('ca') }, files)
    await writeFile(at('kubeconfig'), text)
    expect(plainLogin(text)).toBeDefined()
    const expected = await seen(await libraryConnection({ kubeconfig: at('kubeconfig') }))
    expect(await seen(await connect({ kubeconfig: at('kubeconfig') }))).toEqual(expected)
  })

  it('leaves a cluster that is named apart to the client library', async () => {
    const wish = { kubeconfig: kubeconfig({}, CERTIFICATE), cluster: 'there' }
    expect(await connect(wish)).toMatchObject({ server: 'https://there.invalid' })
  })

  it.each([
    ['a program that gives tokens', kubeconfig({}, { exec: { command: 'aws' } })],
    ['a user to speak for', kubeconfig({}, { token: 'a', as: 'somebody' })],
    ['a proxy', kubeconfig({ 'proxy-url': 'http://proxy.invalid' }, CERTIFICATE)],
    ['a file and its content', kubeconfig({ ...AUTHORITY, 'certificate-authority': '/ca' }, {})],
    ['a file beside it', kubeconfig({ 'certificate-authority': 'ca.crt' }, CERTIFICATE)],
    [
      'a context that is not there',
      kubeconfig({}, CERTIFICATE).replace('context: one', 'context: x'),
    ],
  ])('leaves %s to the client library', (_, text) => {
    expect(plainLogin(text)).toBeUndefined()
  })

  it('names a context without a cluster', async () => {
    const text = kubeconfig({}, CERTIFICATE, { cluster: 'nowhere' })
    await expect(connect({ kubeconfig: text })).rejects.toMatchObject({ code: 'ERR_KUBECONFIG' })
  })

  it('names a kubeconfig that is not there', async () => {
    await expect(connect({ kubeconfig: '/nowhere/kubeconfig' })).rejects.toMatchObject({
      code: 'ERR_KUBECONFIG',
    })
  })
})
