import { describe, expect, it } from 'vitest'
import { leafHash } from './merkle.ts'
import { isAuthentic, signRecord } from './record.ts'

const key = { id: 'k1', secret: Buffer.alloc(32, 1) }

describe('signRecord', () => {
  it('makes the same bytes, leaf and MAC whatever the order of the members', () => {
    expect(signRecord({ b: 1, a: 'x' }, key)).toEqual(signRecord({ a: 'x', b: 1 }, key))
  })

  it('hashes exactly the canonical bytes into the leaf', () => {
    const signed = signRecord({ b: 1, a: 'x' }, key)
    expect(signed.bytes.toString()).toBe('{"a":"x","b":1}')
    expect(signed.leaf).toEqual(leafHash(signed.bytes))
  })
})

describe('isAuthentic', () => {
  const { bytes, mac } = signRecord({ action: 'secret.read' }, key)

  it('accepts the record of its key', () => {
    expect(isAuthentic(bytes, mac, key.secret)).toBe(true)
  })

  it('refuses a changed byte, another key and a cut MAC', () => {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(0x20, 3)
    expect(isAuthentic(changed, mac, key.secret)).toBe(false)
    expect(isAuthentic(bytes, mac, Buffer.alloc(32, 2))).toBe(false)
    expect(isAuthentic(bytes, mac.subarray(0, 16), key.secret)).toBe(false)
  })
})
