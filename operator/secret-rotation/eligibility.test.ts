import { describe, expect, it } from 'vitest'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import { refusalByBackend } from './eligibility.ts'
import { observed } from './testkit/observed.ts'

const backend = (change: Partial<RotationBackend['spec']> = {}): RotationBackend => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind: 'RotationBackend',
  metadata: { name: 'main' },
  spec: {
    kind: 'Postgres',
    endpoint: { host: 'db', port: 5432, database: 'palisade' },
    tls: { trust: 'Platform' },
    credential: {},
    allowedNamespaces: { matchLabels: { rotations: 'yes' } },
    names: ['{namespace}_*'],
    maxConcurrent: 4,
    ...change,
  },
})

const refusal = (
  roles: string[],
  change: Partial<RotationBackend['spec']> = {},
  labels = { rotations: 'yes' },
) => refusalByBackend(observed().rotation, roles, backend(change), labels)?.reason

describe('refusalByBackend', () => {
  it('admits roles that begin with the namespace', () => {
    expect(refusal(['shop_a', 'shop_b'])).toBeUndefined()
  })

  it.each([['shopping_a'], ['other_a'], ['shop'], ['xshop_a']])(
    'refuses %s in namespace shop',
    (role) => {
      expect(refusal(['shop_a', role])).toBe('NameOutsidePattern')
    },
  )

  it('takes a name without a star exactly', () => {
    expect(refusal(['shop_a'], { names: ['shop_a'] })).toBeUndefined()
    expect(refusal(['shop_ab'], { names: ['shop_a'] })).toBe('NameOutsidePattern')
  })

  it('refuses a namespace that the selector does not take', () => {
    expect(refusal(['shop_a'], {}, { rotations: 'no' })).toBe('NamespaceNotAllowed')
    const matchExpressions = [{ key: 'rotations', operator: 'NotIn' as const, values: ['yes'] }]
    expect(refusal(['shop_a'], { allowedNamespaces: { matchExpressions } })).toBe(
      'NamespaceNotAllowed',
    )
  })

  it('refuses a backend of another kind', () => {
    expect(refusal(['shop_a'], { kind: 'Redis' })).toBe('SpecUnusable')
  })
})
