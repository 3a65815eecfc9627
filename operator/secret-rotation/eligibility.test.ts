import { describe, expect, it } from 'vitest'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import {
  alternatingRoles,
  backendNotFound,
  refusalByBackend,
  refusalBySpec,
  type Refusal,
} from './eligibility.ts'
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

describe('refusalBySpec', () => {
  it('refuses a policy by name, so that no freeze is passed over', () => {
    const { rotation } = observed({ spec: { policyRef: { name: 'year-end' } } })
    expect(refusalBySpec(rotation)).toMatchObject({
      reason: 'NotSupported',
      message: expect.stringContaining('spec.policyRef') as string,
    })
    expect(refusalBySpec(observed().rotation)).toBeUndefined()
  })
})

/** As long as the API lets them be. */
const LONG = 'n'.repeat(63)
const NAMES = Array.from({ length: 32 }, (_, i) => `{namespace}_${i}`.padEnd(127, 'x') + '*')

describe('a refusal', () => {
  const { rotation } = observed()
  const longest = { ...backend({ names: NAMES }), metadata: { name: LONG } }
  const inLong = { ...rotation, metadata: { ...rotation.metadata, namespace: LONG } }
  const judged = (change: Partial<RotationBackend['spec']>, labels: Record<string, string>) =>
    refusalByBackend(inLong, [LONG], { ...longest, spec: { ...longest.spec, ...change } }, labels)
  const bySpec = (spec: Parameters<typeof observed>[0]) => refusalBySpec(observed(spec).rotation)
  const { schedule } = rotation.spec
  const role = { connectionRef: { name: LONG }, roles: [LONG] }

  it.each<[string, Refusal | object | undefined, string]>([
    ['a backend that is not there', backendNotFound(LONG), 'kubectl get rotationbackends'],
    ['a backend of another kind', judged({ kind: 'Redis' }, {}), 'kubectl get rotationbackends'],
    ['a namespace', judged({}, {}), `kubectl get rotationbackend ${LONG} -o jsonpath=`],
    ['a name', judged({}, { rotations: 'yes' }), `spec.names of RotationBackend "${LONG}"`],
    ['a policy', bySpec({ spec: { policyRef: { name: LONG } } }), 'spec.schedule.windows'],
    [
      'a time zone',
      bySpec({ spec: { schedule: { ...schedule, timeZone: LONG } } }),
      'write one such as Europe/Vienna',
    ],
    [
      'a cron expression',
      bySpec({ spec: { schedule: { ...schedule, cron: LONG } } }),
      'write one such as "0 3 * * 1"',
    ],
    [
      'a source',
      alternatingRoles({
        ...rotation,
        spec: { ...rotation.spec, source: { generated: {} } },
      } as never),
      'make one with postgresRole',
    ],
    [
      'a single role',
      alternatingRoles({ ...rotation, spec: { ...rotation.spec, source: { postgresRole: role } } }),
      'make one with two roles and memberOf',
    ],
  ])('of %s ends with the next step, and within 1,024 characters', (_, answer, step) => {
    const { message } = answer as Refusal
    expect(message).toContain(step)
    expect(message.length).toBeLessThanOrEqual(1024)
  })
})
