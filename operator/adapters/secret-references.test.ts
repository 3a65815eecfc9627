import { describe, expect, it } from 'vitest'
import { readsSecret } from './secret-references.ts'

const ref = { valueFrom: { secretKeyRef: { name: 'db' } } }

describe('readsSecret', () => {
  it.each([
    ['an environment variable', { containers: [{ env: [ref] }] }],
    ['a whole environment', { containers: [{ envFrom: [{ secretRef: { name: 'db' } }] }] }],
    ['an init container', { initContainers: [{ env: [ref] }] }],
    ['an ephemeral container', { ephemeralContainers: [{ env: [ref] }] }],
    ['a volume', { volumes: [{ secret: { secretName: 'db' } }] }],
    ['a projected volume', { volumes: [{ projected: { sources: [{ secret: { name: 'db' } }] } }] }],
  ])('finds the Secret in %s', (_place, spec) => {
    expect(readsSecret(spec, 'db')).toBe(true)
    expect(readsSecret(spec, 'other')).toBe(false)
  })

  it('finds nothing in a Pod that names no Secret', () => {
    expect(readsSecret({ containers: [{ env: [{}], envFrom: [{}] }], volumes: [{}] }, 'db')).toBe(
      false,
    )
  })
})
