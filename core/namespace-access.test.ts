import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { namespaceAccess } from './namespace-access.ts'

const read = (name: string) =>
  readFileSync(new URL(`../policies/vault/${name}.hcl`, import.meta.url), 'utf8')

describe('namespaceAccess', () => {
  const { policy, role } = namespaceAccess('shop', read('palisade-namespace'))

  it('opens the values of the namespace and of no other', () => {
    const paths = [...policy.body.policy.matchAll(/^path "([^"]+)"/gm)].map(([, path]) => path)
    expect(paths.length).toBeGreaterThan(0)
    for (const path of paths) expect(path).toBe('apps/+/shop/*')
  })

  it('binds the role to the operator and to that policy alone', () => {
    expect(role.path).toBe('auth/kubernetes/role/palisade-ns-shop')
    expect(role.body).toMatchObject({
      bound_service_account_names: 'operator',
      bound_service_account_namespaces: 'palisade-system',
      token_policies: 'palisade-ns-shop',
      token_no_default_policy: true,
    })
  })

  it("sends nothing that the onboarder's own policy does not let through", () => {
    const allowed = [...read('palisade-onboarder').matchAll(/^ {4}"([a-z_]+)"\s*=/gm)].map(
      ([, name]) => name,
    )
    expect(allowed).toEqual(expect.arrayContaining(Object.keys(role.body)))
  })
})
