import { describe, expect, it } from 'vitest'
import { withName } from './autonaming.ts'
import { nameOf } from './kubernetes/object.ts'

const seed = new Uint8Array(32).fill(7)
const unnamed = { kind: 'ConfigMap', metadata: { namespace: 'shop' } }

describe('withName', () => {
  it('leaves a name that is given', () => {
    const object = { metadata: { name: 'mine' } }
    expect(withName(object, {}, 'resource', seed)).toBe(object)
  })

  it("draws eight hexadecimal digits behind the resource's name and says so", () => {
    const named = withName(unnamed, {}, 'settings', seed)
    expect(nameOf(named)).toMatch(/^settings-[0-9a-f]{8}$/)
    expect(named.metadata).toMatchObject({
      namespace: 'shop',
      annotations: { 'pulumi.com/autonamed': 'true' },
    })
  })

  it('draws the same name from the same seed and another from another', () => {
    const first = nameOf(withName(unnamed, {}, 'settings', seed))
    expect(nameOf(withName(unnamed, {}, 'settings', seed))).toBe(first)
    expect(
      nameOf(
        withName(
          unnamed,
          {},
          'settings',
          seed.map(() => 8),
        ),
      ),
    ).not.toBe(first)
  })

  it('keeps the name that was drawn before', () => {
    const old = withName(unnamed, {}, 'settings', seed)
    const again = withName(
      unnamed,
      old,
      'settings',
      seed.map(() => 8),
    )
    expect(nameOf(again)).toBe(nameOf(old))
  })

  it('draws a name when the old one was given by hand', () => {
    const old = { metadata: { name: 'by-hand' } }
    expect(nameOf(withName(unnamed, old, 'settings', seed))).toMatch(/^settings-/)
  })
})
