import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GATEWAY_AUDIENCE, OPENBAO_AUDIENCE } from '../../infra/names.ts'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { makeReviewer, tokenFor } from '../../test/support/intake.ts'
import { TokenReviewer } from './token-reviewer.ts'

const SYSTEM = 'palisade-system'
const UNKNOWN = { kind: 'unknown' }
/** The API server remembers what it found good for ten seconds. */
const FORGOTTEN = { timeout: 30_000, interval: 500 }
const account = (name: string) => ({
  kind: 'account',
  name: `system:serviceaccount:${SYSTEM}:${name}`,
})

let api: TestApiServer
let made: Awaited<ReturnType<typeof makeReviewer>>

beforeAll(async () => {
  api = await startApiServer()
  await api.namespace(SYSTEM)
  made = await makeReviewer(api)
})
afterAll(async () => {
  await made?.stop()
  await api?.stop()
})

async function podOf(name: string) {
  const pods = `/api/v1/namespaces/${SYSTEM}/pods`
  const created = await api.post(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      serviceAccountName: 'operator',
      automountServiceAccountToken: false,
      containers: [{ name: 'operator', image: 'test:1' }],
    },
  })
  const { uid } = api.expectOk(created)['metadata'] as { uid: string }
  return { name, uid, path: `${pods}/${name}` }
}

describe('TokenReviewer', () => {
  it('names the account of a token that was made for the gateway', async () => {
    for (const name of ['operator', 'sealer']) {
      expect(await made.reviewer.review(await tokenFor(api, name))).toEqual(account(name))
    }
  })

  it('knows no token that was made for the API server or for the secret store', async () => {
    expect(await made.reviewer.review(await api.token(SYSTEM, 'operator'))).toEqual(UNKNOWN)
    const other = await tokenFor(api, 'operator', OPENBAO_AUDIENCE)
    expect(await made.reviewer.review(other)).toEqual(UNKNOWN)
  })

  it('knows no token whose last character was changed, and no word', async () => {
    const token = await tokenFor(api, 'operator')
    const forged = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA')
    expect(await made.reviewer.review(forged)).toEqual(UNKNOWN)
    expect(await made.reviewer.review('operator')).toEqual(UNKNOWN)
  })

  it('knows a token no longer when its Pod is deleted', async () => {
    await api.token(SYSTEM, 'operator')
    const { path, ...pod } = await podOf('operator-7c')
    const token = await tokenFor(api, 'operator', GATEWAY_AUDIENCE, pod)
    expect(await made.reviewer.review(token)).toEqual(account('operator'))
    expect((await api.ask('DELETE', `${path}?gracePeriodSeconds=0`)).status).toBe(200)
    await expect.poll(() => made.reviewer.review(token), FORGOTTEN).toEqual(UNKNOWN)
  })

  it('knows a token no longer when its account is deleted and made again', async () => {
    const token = await tokenFor(api, 'former')
    expect(await made.reviewer.review(token)).toEqual(account('former'))
    await api.ask('DELETE', `/api/v1/namespaces/${SYSTEM}/serviceaccounts/former`)
    await api.token(SYSTEM, 'former')
    await expect.poll(() => made.reviewer.review(token), FORGOTTEN).toEqual(UNKNOWN)
  })

  it('throws when the API server does not answer, refuses or is another', async () => {
    const token = await tokenFor(api, 'operator')
    const code = { code: 'ERR_CALLER_UNRECOGNISABLE' }
    const away = { url: 'https://127.0.0.1:1', directory: made.directory }
    await expect(new TokenReviewer(away, GATEWAY_AUDIENCE).review(token)).rejects.toMatchObject(
      code,
    )

    const directory = await mkdtemp(join(tmpdir(), 'palisade-reviewer-'))
    const other = new TokenReviewer({ url: api.url, directory }, GATEWAY_AUDIENCE)
    await expect(other.review(token)).rejects.toMatchObject(code)
    await writeFile(join(directory, 'ca.crt'), api.ca)
    await writeFile(join(directory, 'token'), await api.token(SYSTEM, 'nobody'))
    await expect(other.review(token)).rejects.toMatchObject({
      ...code,
      detail: 'the API server answered 403 when it was asked whose token this is',
    })
    // The kubelet put another token there: the next question uses it.
    await writeFile(join(directory, 'token'), made.own)
    expect(await other.review(token)).toEqual(account('operator'))
    await other.close()
    await rm(directory, { recursive: true })
  })
})

describe("the gateway's account", () => {
  it('may review tokens and nothing else', async () => {
    const as = { token: made.own }
    const review = '/apis/authentication.k8s.io/v1/tokenreviews'
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: 'x' },
    }
    expect((await api.post(review, body, as)).status).toBe(201)
    for (const path of ['secrets', 'pods', 'serviceaccounts', 'configmaps']) {
      expect((await api.get(`/api/v1/namespaces/${SYSTEM}/${path}`, as)).status, path).toBe(403)
    }
    const token = `/api/v1/namespaces/${SYSTEM}/serviceaccounts/operator/token`
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
    expect((await api.post(token, request, as)).status).toBe(403)
  })
})
