import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { namespaceAccess } from '#core/namespace-access'
import { platformPolicy } from '../../infra/openbao/policies.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTime } from '../../test/support/child.ts'
import { startOpenBao, type TestOpenBao } from '../../test/support/openbao.ts'

const TEMPLATE = readFileSync(join(import.meta.dirname, 'palisade-namespace.hcl'), 'utf8')
const POLICY = 'sys/policies/acl/palisade-ns-shop'
const GOOD = namespaceAccess('shop', TEMPLATE).policy.body.policy

let bao: TestOpenBao
let agent: Agent
let onboarder: string

/** A token with one policy and no other. */
async function tokenWith(policy: string): Promise<string> {
  const wish = { policies: [policy], no_default_policy: true, ttl: '5m' }
  const { body } = await bao.ask('POST', 'auth/token/create', wish)
  return (body['auth'] as { client_token: string }).client_token
}
async function as(token: string, method: 'GET' | 'POST', path: string, body?: object) {
  const answer = await request(`${bao.address}/v1/${path}`, {
    ...{ method, dispatcher: agent, headers: { 'x-vault-token': token }, signal: inTime() },
    body: body === undefined ? null : JSON.stringify(body),
  })
  await answer.body.dump()
  return answer.statusCode
}
const writePolicy = (body: object) => as(onboarder, 'POST', POLICY, body)

beforeAll(async () => {
  bao = await startOpenBao()
  agent = new Agent({ connect: { ca: bao.ca } })
  onboarder = await tokenWith('palisade-onboarder')
})
afterAll(async () => {
  await agent?.close()
  await bao?.stop()
})

describe('the onboarder', () => {
  it('opens one namespace for the operator, in the words of palisade enable', async () => {
    const { policy, role } = namespaceAccess('shop', TEMPLATE)
    expect(await as(onboarder, 'POST', policy.path, policy.body)).toBe(204)
    expect(await as(onboarder, 'POST', role.path, role.body)).toBeLessThan(300)
    const shop = await tokenWith('palisade-ns-shop')
    const write = (path: string) =>
      as(shop, 'POST', path, { options: { cas: 0 }, data: { a: 'b' } })
    expect(await write('apps/data/shop/orders/db')).toBe(200)
    expect(await as(shop, 'GET', 'apps/metadata/shop/orders/db')).toBe(200)
    expect(await write('apps/data/rival/orders/db')).toBe(403)
    expect(await as(shop, 'GET', 'platform/data/gateway/jwt-keys')).toBe(403)
  })

  it.each(['a', 'path', 'path-finder', 'delete-me', 'x'.repeat(63), '0-9'])(
    'opens namespace %s',
    async (name) => {
      const { policy } = namespaceAccess(name, TEMPLATE)
      expect(await as(onboarder, 'POST', policy.path, policy.body)).toBe(204)
    },
  )

  const rule = 'capabilities = ["read"]'
  it.each([
    ['a right outside apps', `path "sys/*" { ${rule} }`],
    ['everything', `path "*" { ${rule} }`],
    ['a second statement in a line of its own', `${GOOD}\npath "sys/*" { ${rule} }`],
    ['a second statement behind it', `${GOOD} path "sys/*" { ${rule} }`],
    ['a second statement without a space', `${GOOD}path "sys/*" { ${rule} }`],
    ['a second statement behind a comma', `${GOOD},path "sys/*" { ${rule} }`],
    ['a second statement whose word is quoted', `${GOOD} "path" "sys/*" { ${rule} }`],
    ['a second statement behind a comment', `${GOOD}/* */path "sys/*" { ${rule} }`],
    ['a second statement behind a list', `path "apps/+/x/*" = []path "sys/*" { ${rule} }`],
    ['a second statement behind a number', `${GOOD} name = 1path "sys/*" { ${rule} }`],
    ['a second statement behind a number, close', `${GOOD}name=1path "sys/*" { ${rule} }`],
    ['a second statement behind a fraction', `${GOOD},"name"=1.5path "sys/*" { ${rule} }`],
    ['a second statement behind a name and a comment', `${GOOD}/**/name = 0x1/**/path "sys/*" {}`],
    ['a second statement for a value', `path "apps/+/x/*" = 1path "sys/*" { ${rule} }`],
    ['a second statement within', `path "apps/+/x/*" { a = 1path "sys/*" { ${rule} } }`],
    ['anything behind its brace', `${GOOD} # more`],
    ['a second statement that is escaped', `${GOOD} "p\\u0061th" "sys/*" { ${rule} }`],
    ['every namespace', `path "apps/+/*" { ${rule} }`],
    ['every namespace as one part', `path "apps/+/+/x" { ${rule} }`],
    ['every namespace that begins with a letter', `path "apps/+/s*" { ${rule} }`],
    ['a way out of apps', `path "apps/+/\\u002a" { ${rule} }`],
    ['a template', `path "apps/+/{{identity.entity.id}}/*" { ${rule} }`],
    ['a deletion', GOOD.replace('"list"', '"delete"')],
    ['a deletion in the old words', 'path "apps/+/shop/*" { policy = "write" }'],
    ['a right of root', GOOD.replace('"list"', '"sudo"')],
    ['the text in another coding', Buffer.from(`path "sys/*" { ${rule} }`).toString('base64')],
    ['JSON', JSON.stringify({ path: { 'sys/*': { capabilities: ['read'] } } })],
    ['no text', ''],
  ])('is refused a policy with %s', async (_, policy) => {
    expect(await writePolicy({ policy })).toBeGreaterThanOrEqual(400)
    expect(await writePolicy({ Policy: policy })).toBeGreaterThanOrEqual(400)
  })

  it('is refused a parameter beside the policy', async () => {
    expect(await writePolicy({ policy: GOOD, ttl: '1s' })).toBe(403)
  })

  it('is refused the policy of anybody else', async () => {
    const policy = platformPolicy('palisade-onboarder')
    for (const name of ['palisade-operator', 'palisade-onboarder', 'default'])
      expect(await as(onboarder, 'POST', `sys/policies/acl/${name}`, { policy })).toBe(403)
    expect(await as(onboarder, 'POST', 'sys/policy/palisade-ns-shop', { policy: GOOD })).toBe(403)
  })
})
